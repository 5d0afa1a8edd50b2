import ArgumentParser
import FineTuning
import Foundation

extension PlainTextFiles.Unit: ExpressibleByArgument {}
extension InstructionFormat: ExpressibleByArgument {}
extension InstructionTraining.Learnt: ExpressibleByArgument {}
extension InstructionTraining.Truncation: ExpressibleByArgument {}

/// The task of a run and where its data lies.
struct DataArguments: ParsableArguments {
    private static let others = ["text", "instruct", "e2e"] + CommonsenseTraining.names
    private static let tasks = TaskRegistry.tasks.map { $0.name } + others

    @Option(help: "The task: \(tasks.joined(separator: ", ")).")
    var task: String

    @Option(
        parsing: .upToNextOption,
        help: """
            Folder of the task's files, as GLUE, LLM-Adapters and the E2E challenge name them; for text and \
            instruct, files, or a folder with train and dev files (.txt; .jsonl, .json, .csv).
            """)
    var data: [String]

    @OptionGroup var text: TextArguments
    @OptionGroup var instructions: InstructionArguments
    @OptionGroup var e2e: E2EArguments
    @OptionGroup var commonsense: CommonsenseArguments
    @OptionGroup var scoring: ScoringArguments

    var places: [URL] { data.map { URL(fileURLWithPath: $0) } }

    func trainingTask() throws -> any TrainingTask {
        let isOther = Self.others.contains(task)
        let sentences = isOther ? nil : try TaskRegistry.task(named: task, besides: Self.others)
        try refuseStrayOptions()
        switch task {
        case "text": return try text.trainingTask()
        case "instruct": return try instructions.trainingTask(text)
        case "e2e": return try e2e.trainingTask(scoring)
        default: break
        }
        if let commonsense = try commonsense.trainingTask(named: task, scoring) {
            return commonsense
        }
        return SentenceTraining(try sentences ?? TaskRegistry.task(named: task))
    }

    /// Refuses options that are another task's.
    private func refuseStrayOptions() throws {
        let groups = [
            (["text", "instruct"], text.given), (["instruct"], instructions.given),
            (["e2e"], e2e.given), (CommonsenseTraining.names, commonsense.given),
            (["e2e"] + CommonsenseTraining.names, scoring.given),
        ]
        for (tasks, given) in groups where !tasks.contains(task) {
            guard let (name, _) = given.first(where: \.isGiven) else { continue }
            let sets = CommonsenseTraining.names.dropFirst()
            let owners = tasks.filter { !sets.contains($0) }.joined(separator: " and ")
            throw CommandError("--\(name): the task \(task) has no such option; it is of \(owners)")
        }
    }

    /// What puts conversations into words: the chat template that the user gives, else that of the first adapter that has one, else the
    /// model's.
    func template(of model: URL, adapters: [URL] = []) throws -> ChatTemplate? {
        var template =
            try givenTemplate(for: model) ?? ChatTemplate.load(fromFirstOf: adapters + [model])
        template?.variables = try instructions.context.variables
        template?.date = try instructions.context.date
        return template
    }

    /// The chat template that the user gives, with the special tokens of the model.
    func givenTemplate(for model: URL) throws -> ChatTemplate? {
        guard let name = instructions.chatTemplate else { return nil }
        return try ChatTemplate.load(named: name, tokensFrom: model)
    }
}

/// Refuses lengths that training refuses, where a command takes no other options of training.
func checkMaximumLength(_ length: Int?) throws {
    guard let length, !(4...1_000_000).contains(length) else { return }
    throw CommandError("--max-length: \(length) is not from 4 to 1000000")
}

/// How plain text becomes examples.
struct TextArguments: ParsableArguments {
    @Option(
        help: """
            text: what is one document, whose tokens see nothing of another: file, paragraph or \
            line. Default: file.
            """)
    var documents: PlainTextFiles.Unit?

    @Flag(
        help: """
            text, instruct: put sequences one behind the other in rows of --max-length tokens, apart, \
            instead of padding them.
            """)
    var packing = false

    @Option(parsing: .upToNextOption, help: "text, instruct: files to score on.")
    var devData: [String] = []

    @Option(
        parsing: .unconditional,
        help: """
            text, instruct: the share of the examples, from the end, to score on where there are no \
            others. Default: 0.05.
            """)
    var devShare: Double?

    func trainingTask() throws -> any TrainingTask {
        var task = TextTraining()
        task.unit = documents ?? task.unit
        task.packs = packing
        task.devData = devPlaces
        task.devShare = devShare ?? task.devShare
        return task
    }

    var devPlaces: [URL] { devData.map { URL(fileURLWithPath: $0) } }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("documents", documents != nil), ("packing", packing), ("dev-data", !devData.isEmpty),
            ("dev-share", devShare != nil),
        ]
    }
}

/// How instructions and conversations become examples.
struct InstructionArguments: ParsableArguments {
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
            instruct: what is learnt: responses, last-response (of each conversation) or everything. \
            Default: responses.
            """)
    var trainOn: InstructionTraining.Learnt?

    @Option(
        help: """
            instruct: what becomes of examples of more than --max-length tokens: cut at the end, cut at \
            the start, or drop. Default: end.
            """)
    var truncation: InstructionTraining.Truncation?

    @Option(
        help: """
            The chat template: a file in Jinja's language, alpaca or chatml. It is saved with what is trained; \
            instruct puts conversations into its words. Default: the model's own, else for instruct alpaca.
            """)
    var chatTemplate: String?

    @OptionGroup var context: TemplateContext

    @Flag(help: "instruct: leave rows out that cannot be used, and count them.")
    var skipBadRows = false

    @Flag(help: "instruct: train even where no example teaches the model to stop.")
    var allowNoStop = false

    func trainingTask(_ text: TextArguments) throws -> any TrainingTask {
        var task = InstructionTraining()
        task.files.format = format
        task.files.fields = try InstructionFields(fields)
        task.files.skipsBadRows = skipBadRows
        task.files.unit = text.documents ?? task.files.unit
        task.learnt = trainOn ?? task.learnt
        task.truncation = truncation ?? task.truncation
        task.packs = text.packing
        task.allowsNoStop = allowNoStop
        task.devData = text.devPlaces
        task.devShare = text.devShare ?? task.devShare
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("format", format != nil), ("field", !fields.isEmpty), ("train-on", trainOn != nil),
            ("truncation", truncation != nil),
            ("skip-bad-rows", skipBadRows), ("allow-no-stop", allowNoStop),
        ] + context.given
    }
}
