import ArgumentParser
import DualLoRA
import Foundation

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Score a fine-tuned model on a task's dev split.",
        discussion: """
            Example:
              duallora evaluate --model MiniLM --adapter out --task stsb --data glue/STS-B
            """)

    @Option(help: "Folder of the model.")
    var model: String

    @Option(help: "Folder of an adapter for it.")
    var adapter: String?

    @Option(help: "The task: \(TaskRegistry.tasks.map { $0.name }.joined(separator: ", ")).")
    var task: String

    @Option(help: "Folder of the task's files.")
    var data: String

    @Option(name: .customLong("max-length"), help: "Tokens that an example is cut to.")
    var maximumLength: Int = 128

    @Option(
        help: ArgumentHelp(
            "Compute in \(DType.allValueStrings.joined(separator: ", ")).", valueName: "type"))
    var dtype = DType.bfloat16

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Flag(help: "Print the scores as JSON.")
    var json = false

    func run() throws {
        let device = try compute.apply()
        let task = try TaskRegistry.task(named: task)
        let examples = try task.examples(.dev, in: folder(data))
        let tokenizer = try Tokenizer.load(from: folder(model))
        var options = ModelFolder.LoadOptions()
        options.computeType = dtype
        options.device = device
        let loaded = try AdaptedModel.load(
            model: folder(model), adapter: adapter.map(folder), options: options)
        for text in loaded.notes { note("note: \(text)") }
        let wanted = Objective(task).labelCount
        let scorer = try loaded.loaded.sequenceModel()
        guard let head = scorer.head else { throw ModelError.noHead(folder: model) }
        guard head.outputSize == wanted else {
            throw CommandError(
                "\(task.name) needs a head with \(wanted) output(s), but this one has \(head.outputSize)"
            )
        }
        let encoded = try EncodedExample.encode(
            examples, with: tokenizer, for: scorer, maximumLength: maximumLength)
        let evaluator = Evaluator(
            task, encoded, paddingID: tokenizer.paddingID, device: device)
        let evaluation = try evaluator.evaluate(scorer)
        try show(evaluation, task, count: examples.count)
    }

    private func show(
        _ evaluation: Evaluation, _ task: any SentenceTask.Type, count: Int
    ) throws {
        guard json else {
            for (name, value) in evaluation.metrics { print("\(name) \(decimal(value))") }
            print("loss \(decimal(evaluation.loss)) over \(count) examples")
            return
        }
        var metrics: [String: Any] = [:]
        for (name, value) in evaluation.metrics { metrics[name] = jsonNumber(value) }
        try printJSON([
            "task": task.name, "metric": task.primaryMetric, "value": jsonNumber(evaluation.value),
            "metrics": metrics, "loss": jsonNumber(evaluation.loss), "examples": count,
        ])
    }
}
