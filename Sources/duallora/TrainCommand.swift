import ArgumentParser
import DualLoRA
import Foundation

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fine-tune a model on a task.",
        discussion: """
            Writes the adapter (for full fine-tuning the model), train.jsonl, result.json and loss.png.
            Ctrl-C leaves a checkpoint; the same command with --resume goes on from it.

            Example:
              duallora train --model MiniLM --task stsb --data glue/STS-B --method dual-lora --output out
              duallora train --model gpt2 --task text --data book.txt --method lora --output out
            """)

    @Option(help: "Folder of the model: config.json, model.safetensors, tokenizer.json.")
    var model: String

    @OptionGroup(title: "Data") var data: DataArguments

    @Option(help: "Folder for what the run makes.")
    var output: String

    @OptionGroup(title: "Method") var method: MethodArguments

    @OptionGroup(title: "Training") var training: TrainingArguments

    @Option(
        help: ArgumentHelp(
            "Compute in \(DType.allValueStrings.joined(separator: ", ")).", valueName: "type"))
    var dtype = DType.bfloat16

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Flag(help: "Go on from the newest checkpoint in the output folder.")
    var resume = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let device = try compute.apply(savesMemory: training.activationCheckpointing)
        var run = FineTuningRun(
            base: .model(folder(model)), task: try data.trainingTask(), data: data.places,
            method: try method.make(), output: folder(output), options: training.options)
        run.targets = try method.selection
        run.modulesToSave = method.savedModules
        run.computeType = dtype
        run.device = device
        run.resume = resume
        try show(run, json: json)
    }
}

/// Runs, shows how it goes, and says what came of it.
func show(_ run: FineTuningRun, json: Bool) throws {
    let view = RunView()
    Interrupt.watch()
    let result = try run.run(shouldStop: { Interrupt.happened }, report: view.show)
    view.finish()
    guard !json else {
        return print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
    let saved =
        run.method is any AdapterMethod ? "adapter_model.safetensors" : "model.safetensors"
    print(
        """
        \(result.metric) \(decimal(result.before?.metrics[result.metric] ?? nil)) -> \
        \(decimal(result.value)), loss \(decimal(result.before?.evaluationLoss)) -> \
        \(decimal(result.loss)) on the dev split, \(Int(result.seconds.rounded())) s of training
        \(run.output.relativePath)/: \(saved), result.json, train.jsonl, loss.png
        """)
    let scores = result.metrics.compactMap { name, value in value.map { (name: name, value: $0) } }
    if let table = (run.task as? CommonsenseTraining)?.table(scores) { print("\n" + table) }
}

/// How long, how fast and in which portions a run trains.
struct TrainingArguments: ParsableArguments {
    @Option(parsing: .unconditional, help: "Passes over the training examples.")
    var epochs: Int = 3

    @Option(parsing: .unconditional, help: "Optimizer steps, instead of epochs.")
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: "Examples of one forward pass. Default: 8 for text, 32 for sentences.")
    var batchSize: Int?

    @Option(parsing: .unconditional, help: "Forward passes of one optimizer step.")
    var gradientAccumulation: Int = 1

    @Option(
        parsing: .unconditional,
        help: "Peak learning rate. Default: the method's own (duallora methods).")
    var learningRate: Double?

    @Option(parsing: .unconditional, help: "Peak learning rate of the head.")
    var headLearningRate: Double = 5e-4

    @Option(parsing: .unconditional, help: "Decoupled weight decay, not for biases and norms.")
    var weightDecay: Double = 0.01

    @Option(parsing: .unconditional, help: "Share of the steps in which the learning rate rises.")
    var warmupRatio: Double = 0.06

    @Option(
        parsing: .unconditional, help: "Largest norm of the gradients together; 0 for no limit.")
    var gradientLimit: Double = 1

    @Option(
        name: .customLong("max-length"), parsing: .unconditional,
        help: "Tokens that an example is cut to. Default: 512 for text, 128 for sentences.")
    var maximumLength: Int?

    @Flag(name: .customLong("no-shuffle"), help: "Take the examples in the order of the data.")
    var keepsOrder = false

    @Option(parsing: .unconditional, help: "Steps between two lines of the log.")
    var loggingSteps: Int = 10

    @Option(
        parsing: .unconditional, help: "Steps between two checkpoints. Default: none but on Ctrl-C."
    )
    var checkpointSteps: Int?

    @Flag(
        help:
            "Keep only the inputs of every block for the backward, which runs it again: less memory."
    )
    var activationCheckpointing = false

    @Option(parsing: .unconditional, help: "Decides every random number of the run.")
    var seed: UInt64 = 0

    var options: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = epochs
        options.steps = steps
        options.batchSize = batchSize
        options.accumulation = gradientAccumulation
        options.learningRate = learningRate
        options.headLearningRate = headLearningRate
        options.weightDecay = weightDecay
        options.warmupRatio = warmupRatio
        options.gradientLimit = gradientLimit == 0 ? nil : gradientLimit
        options.maximumLength = maximumLength
        options.shuffles = !keepsOrder
        options.loggingSteps = loggingSteps
        options.checkpointSteps = checkpointSteps
        options.activationCheckpointing = activationCheckpointing
        options.seed = seed
        return options
    }
}
