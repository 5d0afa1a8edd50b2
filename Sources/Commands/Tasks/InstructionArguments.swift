import ArgumentParser
import FineTuning
import Foundation

extension InstructionFormat: ExpressibleByArgument {}
extension FieldSeparator: ExpressibleByArgument {
    /// By name, or as it is.
    public init?(argument: String) { self.init(spelled: argument) }
}
extension InstructionTraining.Learnt: ExpressibleByArgument {}
extension InstructionTraining.Truncation: ExpressibleByArgument {}

/// How instructions and conversations become examples.
struct InstructionArguments: TaskArguments {
    static let owners = "instruct"

    @Option(
        help: """
            instruct: the form of the rows: alpaca (instruction, input, output), completion (prompt, \
            completion), chat (messages or conversations) or text. Default: what the first row's keys say.
            """)
    var format: InstructionFormat?

    @Option(
        name: .customLong("field"),
        help: """
            instruct: FIELD=KEY, the key of a field, such as output=answer; may be given several times.
            """)
    var fields: [String] = []

    @Option(
        help: """
            instruct: what stands between the fields of a table: comma, semicolon, tab or bar. Default: \
            what its header has most of.
            """)
    var separator: FieldSeparator?

    @Option(
        help: """
            instruct: what is learnt: responses, last-response (of each conversation) or everything. \
            Default: responses.
            """)
    var trainOn: InstructionTraining.Learnt?

    @Option(
        help: """
            instruct: what becomes of examples of more than --max-length tokens: cut at the end, cut at \
            the start, or drop. A question that would leave no room for its answer is cut at its start. \
            Default: end.
            """)
    var truncation: InstructionTraining.Truncation?

    @Option(
        help: """
            The chat template: a file in Jinja's language, alpaca or chatml. It is saved with what is trained; \
            instruct puts conversations into its words. Default: the model's own, else for instruct alpaca.
            """, completion: .chatTemplate)
    var chatTemplate: String?

    @OptionGroup var context: TemplateContext

    @Flag(help: "instruct: leave rows out that cannot be used, and count them.")
    var skipBadRows = false

    func isFor(_ task: any TrainingTask) -> Bool { task is InstructionTraining }

    func applied(to task: any TrainingTask, in data: DataArguments) throws -> any TrainingTask {
        guard var task = task as? InstructionTraining else { return task }
        let text = data.text
        task.files.format = format
        task.files.fields = try InstructionFields(fields)
        task.files.separator = separator
        task.files.skipsBadRows = skipBadRows
        task.files.unit = text.documents ?? task.files.unit
        task.learnt = trainOn ?? task.learnt
        task.truncation = truncation ?? task.truncation
        task.packs = text.packing
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("format", format != nil), ("field", !fields.isEmpty),
            ("separator", separator != nil), ("train-on", trainOn != nil),
            ("truncation", truncation != nil),
            ("skip-bad-rows", skipBadRows),
        ] + context.given
    }
}
