import ArgumentParser
import FineTuning
import Foundation

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See every method fine-tune a small model, with nothing to download.",
        discussion: """
            Makes sentences by a small grammar and a BERT of 0.1 million parameters, trains it to tell \
            right sentences from wrong ones, then fine-tunes that model with each method to judge \
            questions, negations and double subjects, which it has not seen.

            Example:
              duallora demo --output demo
            """)

    @Option(
        help: "Folder for the data, the models, the runs and the picture.", completion: .directory)
    var output = "demo"

    @Flag(help: "Replace what an earlier demo left in the folder; other files stay.")
    var overwrite = false

    @Option(help: "Decides every random number.")
    var seed: UInt64 = 0

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    func run() throws {
        let device = try compute.apply()
        let made = try OutputFolder(folder(output))
        do {
            defer { made.close() }
            try made.checkIsFree(overwrites: overwrite)
            try demonstrate(DemoFiles(root: folder(output)), on: device)
        } catch {
            made.removeIfCreated()
            throw error
        }
    }

    private func demonstrate(_ files: DemoFiles, on device: Device) throws {
        let started = ContinuousClock.now
        let choice = ComputeTypeChoice(compute.dtype.named, on: device)
        choice.tell()
        let count = TorchRuntime.threads
        let threads = count == 1 ? "1 thread" : "\(count) threads"
        print(
            "Instruction set: \(InstructionSet.ofMachine.title); \(threads); "
                + "computing in \(choice.dtype.rawValue).\n")
        try files.write(seed: seed)
        print(
            "1. A model is made: a BERT of random weights learns which basic sentences are right.")
        let base = try fineTune(
            files.untrained, files.basic, FullFineTuning(), pretraining, to: files.base, device,
            choice.dtype)
        print(
            "   matthews \(decimal(base.before?.metrics["matthews"] ?? nil)) -> "
                + "\(decimal(base.value))\n")
        print("2. It is fine-tuned to judge constructions that it has not seen.")
        let methods: [(any FineTuningMethod, learningRate: Double)] = [
            (FullFineTuning(), 1e-3), (LoRA(rank: 8), 2e-3),
            (DualLoRA(magnitudeRank: 4, directionRank: 4), 3e-3),
        ]
        var rows: [[String]] = []
        var scores: [Double] = []
        var runs: [LossCurve.Run] = []
        for (method, rate) in methods {
            let facts = type(of: method).facts
            let result = try fineTune(
                files.base, files.further, method, tuning(rate),
                to: files.run(facts.name), device, choice.dtype)
            scores.append(result.value ?? 0)
            rows.append(row(facts.title, result))
            let log = try RunLog.read(files.run(facts.name).appendingPathComponent("train.jsonl"))
            runs.append(
                LossCurve.Run(name: facts.title, steps: log.steps, evaluations: log.evaluations))
        }
        let picture = LossCurve.svg(of: runs, data: "New constructions", metric: "matthews")
        try AtomicFile.write(picture, to: files.picture)
        print("\n" + textTable(Self.header, rows) + "\n")
        print(conclusion(scores))
        print("\nThe curves are in \(output)/demo.svg, the data, models and adapters beside it.")
        print("\(Int(started.secondsAgo.rounded())) s in all.")
    }

    /// What a method must reach to have learnt the task.
    private static let learnt = 0.95

    /// The same on every machine, where no method is at fault: differences above ``learnt`` are chance.
    private func conclusion(_ scores: [Double]) -> String {
        let learnt = scores.filter { $0 >= Self.learnt }.count
        let bar = "matthews is \(decimal(Self.learnt, digits: 2)) or more"
        return learnt == scores.count
            ? "Every method learns the new constructions: \(bar)."
            : "\(learnt) of \(scores.count) methods learn the new constructions: \(bar)."
    }

    private static let header = [
        "method", "trained parameters", "loss before", "after", "matthews before", "after",
        "seconds",
    ]

    private func row(_ title: String, _ result: RunResult) -> [String] {
        [
            title, result.methodParameters.formatted, decimal(result.before?.evaluationLoss),
            decimal(result.loss), decimal(result.before?.metrics["matthews"] ?? nil),
            decimal(result.value), decimal(result.seconds, digits: 0),
        ]
    }

    private var pretraining: TrainingOptions {
        var options = TrainingOptions()
        options.epochs = 4
        options.learningRate = 5e-4
        return options
    }

    /// - Parameter rate: a model as small as this one takes higher rates than the methods' own.
    private func tuning(_ rate: Double) -> TrainingOptions {
        var options = TrainingOptions()
        options.epochs = 6
        options.learningRate = rate
        options.headLearningRate = 1e-3
        return options
    }

    private func fineTune(
        _ model: URL, _ data: URL, _ method: any FineTuningMethod, _ options: TrainingOptions,
        to output: URL, _ device: Device, _ computeType: DType
    ) throws -> RunResult {
        var options = options
        options.seed = seed
        var run = FineTuningRun(
            model: model, task: CoLA.self, data: data, method: method, output: output,
            options: options)
        if method is any LinearAdapterMethod { run.targets = .allLinear }
        run.computeType = computeType
        run.device = device
        run.overwrite = overwrite
        return try RunView.showing(label: "   \(type(of: method).facts.name)") {
            let view = $0
            return try run.run { event in
                // It was told once, of all runs.
                if case .warning = event { return }
                view.show(event)
            }
        }
    }
}
