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

    @Option(help: "The model: a folder or org/name.", completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @OptionGroup(title: "Data") var data: DataArguments
    @OptionGroup(title: "Data") var decoding: DecodingArguments
    @OptionGroup(title: "Data") var scoring: ScoringArguments

    @Option(
        name: .customLong("max-length"), parsing: .unconditional,
        help: "Tokens that an example is cut to. Default: the task's own, as train has it.")
    var maximumLength: Int?

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @OptionGroup(title: "Computing") var weights: WeightOptions

    @Flag(help: "Print the scores as JSON.")
    var json = false

    func run() throws {
        let device = try compute.apply()
        let task = try data.trainingTask([decoding, scoring])
        let folder = try source.model(model).url
        var run = EvaluationRun(
            model: folder, adapters: try adapters.sources, task: task, data: data.places)
        run.maximumLength = maximumLength
        run.computeType = compute.dtype.named
        run.device = device
        run.quantization = weights.quantize
        run.chatTemplate = try data.givenTemplate(for: folder)
        run.templateVariables = try data.instructions.context.variables
        run.templateDate = try data.instructions.context.date
        run.predictions = try scoring.predictionsFile()
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
            return scoring.show(evaluation.predictions)
        }
        var metrics: [String: Any] = [:]
        for (name, value) in evaluation.metrics { metrics[name] = jsonNumber(value) }
        var fields: [String: Any] = [
            "task": task.name, "metric": task.primaryMetric, "value": jsonNumber(evaluation.value),
            "metrics": metrics, "loss": jsonNumber(evaluation.loss),
            "examples": evaluation.exampleCount,
        ]
        if let count = scoring.samples {
            fields["samples"] = Array(evaluation.predictions.prefix(count))
        }
        try printJSON(fields)
    }
}
