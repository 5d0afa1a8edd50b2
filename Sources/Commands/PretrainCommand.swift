import ArgumentParser
import FineTuning
import Foundation

struct PretrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain", abstract: "Train a new language model from random weights.",
        discussion: """
            Writes a model's folder: config.json, model.safetensors, the tokenizer; and train.jsonl,
            result.json and loss.svg. Documents are cut into sequences of --max-length tokens, which
            --no-shuffle takes in their order; --steps 0 writes the random weights as they are.

            Example:
              duallora pretrain --config config.json --tokenizer gpt2 --data book.txt --steps 500 --output base
            """)

    @Option(
        name: .customLong("config"), help: "config.json of the model to make.",
        completion: .file(extensions: ["json"]))
    var configurationFile: String

    @Option(help: "The tokenizer: a folder, a GGUF file or org/name.", completion: .file())
    var tokenizer: String

    @Option(
        parsing: .upToNextOption, help: "Files of text, or a folder with train.txt and dev.txt.",
        completion: .file())
    var data: [String]

    @Option(help: "Folder for the model.", completion: .directory)
    var output: String

    @OptionGroup(title: "Text") var text: TextArguments
    @OptionGroup(title: "Text") var dev: DevArguments

    @OptionGroup(title: "Training") var training: TrainingArguments

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Flag(help: "Go on from the newest whole checkpoint in the output folder.")
    var resume = false

    @Flag(help: "Replace the run that the output folder holds, once the new one has trained.")
    var overwrite = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    /// What trains small models from random weights well; fine-tuning wants less.
    private static let learningRate = 1e-3

    func run() throws {
        let device = try compute.apply(savesMemory: training.activationCheckpointing)
        var options = training.options
        options.learningRate = options.learningRate ?? Self.learningRate
        var run = FineTuningRun(
            base: .new(
                configuration: URL(fileURLWithPath: configurationFile),
                tokenizer: try located(tokenizer, for: .tokenizer).url),
            task: dev.applied(to: text.trainingTask()), data: data.map { URL(fileURLWithPath: $0) },
            method: FullFineTuning(), output: folder(output), options: options)
        run.computeType = compute.dtype.named
        run.device = device
        run.resume = resume
        run.overwrite = overwrite
        try show(run, json: json)
    }
}
