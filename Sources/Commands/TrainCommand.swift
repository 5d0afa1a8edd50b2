import ArgumentParser
import FineTuning
import Foundation

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fine-tune a model on a task.",
        discussion: """
            Writes the adapter (for full fine-tuning the model), train.jsonl, result.json and loss.svg.
            Ctrl-C and SIGTERM leave a checkpoint, as does every epoch; the same command with --resume goes \
            on from the newest. A folder that holds a run is refused, unless --overwrite replaces it.

            A recipe is a YAML file with the flags' names as keys (learning-rate: 1e-3), grouped under any \
            of data, method, training and computing or not. Of several the later ones override, and flags \
            override all (--packing=false takes back a packing: true). Paths count from the working \
            directory. Every run leaves the recipe that makes it again in its output folder.

            Example:
              duallora train --model MiniLM --task stsb --data glue/STS-B --method dual-lora --output out
              duallora train --model gpt2 --task text --data book.txt --method lora --output out
              duallora train --model llama --task instruct --data chats.jsonl --method dual-lora --output out
              duallora train out/recipe.yaml --seed 1 --output out1
              duallora train --model llama --from-adapter out --task instruct --data more.jsonl --output out2
            """)

    @Argument(
        help: ArgumentHelp("Recipes: files of settings.", valueName: "recipe.yaml"),
        completion: .file(extensions: ["yaml", "yml"]))
    var recipes: [String] = []

    @Option(
        help:
            "The model: a folder with config.json, model.safetensors, tokenizer.json; or org/name.",
        completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup(title: "Data") var data: DataArguments
    @OptionGroup(title: "Data") var dev: DevArguments
    @OptionGroup(title: "Data") var stops: StopArguments
    @OptionGroup(title: "Data") var smoothing: SmoothingArguments
    @OptionGroup(title: "Data") var decoding: DecodingArguments
    @OptionGroup(title: "Data") var scoring: ScoringArguments

    @Option(help: "Folder for what the run makes.", completion: .directory)
    var output: String

    @OptionGroup(title: "Method") var method: MethodArguments

    @OptionGroup(title: "Training") var training: TrainingArguments
    @OptionGroup(title: "Training") var head: HeadArguments

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @OptionGroup(title: "Computing") var weights: WeightOptions

    @Flag(help: "Go on from the newest whole checkpoint in the output folder.")
    var resume = false

    @Flag(help: "Replace the run that the output folder holds, once the new one has trained.")
    var overwrite = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Print the recipe of the run, with what no one set filled in, and do not train.")
    var printRecipe = false

    /// With what the user says of it.
    var task: any TrainingTask {
        get throws { try data.trainingTask([dev, stops, smoothing, decoding, scoring]) }
    }

    private var options: TrainingOptions { head.applied(to: training.options) }

    func run() throws {
        try options.check()
        if printRecipe {
            sayNotes()
            return print(try recipeText(computeType: compute.resolvedType), terminator: "")
        }
        let device = try compute.apply(savesMemory: training.activationCheckpointing)
        sayNotes()
        let start = try method.start()
        let (task, method) = (try task, try method.make(start))
        let targets = try self.method.selection
        let base = try source.model(model)
        var run =
            start.map {
                FineTuningRun(
                    from: $0, model: base.url, task: task, data: data.places, method: method,
                    output: folder(output), options: options)
            }
            ?? FineTuningRun(
                base: .model(base.url), task: task, data: data.places, method: method,
                output: folder(output), options: options)
        run.baseReference = base.reference.map { .init(name: $0.name, revision: $0.revision) }
        run.targets = targets
        run.modulesToSave = self.method.savedModules
        run.addedTokens = try self.method.addedTokens
        run.computeType = compute.dtype.named
        run.device = device
        run.quantization = weights.quantize
        run.resume = resume
        run.overwrite = overwrite
        run.chatTemplate = try data.givenTemplate(for: base.url)
        run.templateVariables = try data.instructions.context.variables
        run.templateDate = try data.instructions.context.date
        run.templateDate = try run.dateForTemplate()
        run.predictions = try scoring.predictionsFile()
        run.recipe = try recipeText(
            computeType: run.computeTypeChoice().dtype, templateDate: run.templateDate,
            positions: run.positions())
        try show(run, json: json, scoring: scoring)
    }
}
