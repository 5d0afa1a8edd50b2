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
        try checkMaximumLength(maximumLength)
        for (name, isGiven) in data.text.given where name.hasPrefix("dev-") && isGiven {
            throw CommandError("--\(name): evaluate scores what --data names")
        }
        let device = try compute.apply()
        let task = try data.trainingTask()
        let examples = try task.readForScoring(data.places)
        let place = try source.model(model).url
        let tokenizer = try Tokenizer.load(from: place)
        var options = ModelFolder.LoadOptions()
        options.computeType = dtype
        options.device = device
        let sources = try adapters.sources
        let loaded = try AdaptedModel.load(model: place, adapters: sources, options: options)
        for text in loaded.notes { note("note: \(text)") }
        let wanted = maximumLength ?? task.defaults.maximumLength
        let encoder = TaskEncoder(
            tokenizer,
            template: task.usesTemplate
                ? try data.template(of: place, adapters: sources.map(\.folder)) : nil,
            maximumLength: min(wanted, loaded.model.maximumLength ?? wanted),
            stopTokens: try GenerationOptions.stopTokens(of: loaded.folder, tokenizer: tokenizer))
        let encoded = try examples.encode(for: loaded.loaded, with: encoder, device: device)
        for text in encoded.notes { note("note: \(text)") }
        try encoded.scorer.check(loaded.model)
        let evaluation = try RunView.showing {
            try encoded.scorer.evaluate(loaded.model, progress: $0.show)
        }
        try show(evaluation, task)
    }

    private func show(_ evaluation: Evaluation, _ task: any TrainingTask) throws {
        guard json else {
            if let table = (task as? CommonsenseTraining)?.table(evaluation.metrics) {
                print(table)
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
