import ArgumentParser
import FineTuning
import Foundation

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Score a fine-tuned model on a task's dev split.",
        discussion: """
            Example:
              duallora evaluate --model MiniLM --adapter out --task stsb --data glue/STS-B
              duallora evaluate --model gpt2 --adapter out --task text --data other.txt
              duallora evaluate --model llama --adapter out --task commonsense --data commonsense
            """)

    @Option(help: "The model: a folder or org/name.")
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @OptionGroup(title: "Data") var data: DataArguments

    @Option(
        name: .customLong("max-length"), parsing: .unconditional,
        help: "Tokens that an example is cut to. Default: the task's own, as train has it.")
    var maximumLength: Int?

    @Option(
        help: ArgumentHelp(
            "Compute in \(DType.allValueStrings.joined(separator: ", ")).", valueName: "type"))
    var dtype = DType.bfloat16

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Flag(help: "Print the scores as JSON.")
    var json = false

    func run() throws {
        for (name, isGiven) in data.text.given where name.hasPrefix("dev-") && isGiven {
            throw CommandError("--\(name): evaluate scores what --data names")
        }
        let device = try compute.apply()
        let task = try data.trainingTask()
        let folder = try source.model(model).url
        var run = EvaluationRun(
            model: folder, adapters: try adapters.sources, task: task, data: data.places)
        run.maximumLength = maximumLength
        run.computeType = dtype
        run.device = device
        run.chatTemplate = try data.givenTemplate(for: folder)
        run.templateVariables = try data.instructions.context.variables
        run.templateDate = try data.instructions.context.date
        run.predictions = try data.scoring.predictionsFile()
        let evaluation = try RunView.showing { try run.run(report: $0.show) }
        try show(evaluation, task)
    }

    private func show(_ evaluation: Evaluation, _ task: any TrainingTask) throws {
        guard json else {
            if let table = task.table(of: evaluation.metrics) {
                print(textTable(table))
            } else {
                for (name, value) in evaluation.metrics { print("\(name) \(decimal(value))") }
            }
            print("loss \(decimal(evaluation.loss)) over \(evaluation.exampleCount) examples")
            return
        }
        var metrics: [String: Any] = [:]
        for (name, value) in evaluation.metrics { metrics[name] = jsonNumber(value) }
        try printJSON([
            "task": task.name, "metric": task.primaryMetric, "value": jsonNumber(evaluation.value),
            "metrics": metrics, "loss": jsonNumber(evaluation.loss),
            "examples": evaluation.exampleCount,
        ])
    }
}
