import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualAdapters
@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// Runs that begin with a trained adapter.
@Suite struct StartAdapterTests {
    private func run(
        from adapter: String, in place: Workplace, to output: String,
        _ change: (inout FineTuningRun) -> Void = { _ in }
    ) throws -> FineTuningRun {
        var run = FineTuningRun(
            from: try StartAdapter(place.output(adapter)), model: place.model,
            task: SentenceTraining(ToyTask.self), data: [place.data], output: place.output(output),
            options: Workplace.options)
        run.computeType = .float32
        change(&run)
        return run
    }

    private static let methods: [any AdapterMethod] = [
        LoRA(rank: 2), LoRA(rank: 2, dropout: 0.1), LoRAPlus(LoRA(rank: 2)), DoRA(LoRA(rank: 2)),
        HiRA(rank: 2), MoRA(rank: 2), FLoRA(rank: 2), RandLoRA(rank: 2), VeRA(rank: 4),
        CorDA(rank: 2), DeltaLoRA(rank: 2, deltaStart: 4), DeltaLoRA(rank: 2, deltaStart: 400),
        AdapterL(), AdapterP(), PrefixTuning(virtualTokens: 3),
        PromptTuning(virtualTokens: 3), PTuning(virtualTokens: 3), LoReFT(rank: 2),
        DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 4),
        DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 400),
        DualLoRA(magnitudeRank: 2, directionRank: 2, warmup: .subtractStart),
        DualLoRA(
            magnitudeRank: 2, directionRank: 2, variant: DualLoRAVariant(direction: .fixed)),
    ]

    @Test(
        "A run begins where the adapter's ended, goes on from there, and can itself be gone on from",
        arguments: methods.indices)
    func goesOn(_ index: Int) throws {
        let place = try Workplace(dropout: 0)
        let first = try place.run(Self.methods[index], to: "first").run { _ in }
        let before = try place.read("first/adapter_model.safetensors")
        let second = try run(from: "first", in: place, to: "second").run { _ in }
        // Loaded in the same type, the model says the same but for the adapter's rounding to float32.
        let loss = try #require(second.before?.evaluationLoss)
        #expect(abs(loss - (try #require(first.loss))) < 1e-5)
        #expect(try #require(second.loss) < loss)
        #expect(try place.read("first/adapter_model.safetensors") == before)
        #expect(second.startAdapter.map { URL(fileURLWithPath: $0).lastPathComponent } == "first")
        let third = try run(from: "second", in: place, to: "third").run { _ in }
        #expect(
            abs(try #require(third.before?.evaluationLoss) - (try #require(second.loss))) < 1e-5)
    }

    @Test("It may be stopped and gone on from, to the same bytes, by the same adapter alone")
    func resumes() throws {
        let place = try Workplace()
        _ = try place.run(LoRA(rank: 2), to: "first").run { _ in }
        _ = try place.run(LoRA(rank: 2), to: "other") { $0.options.seed = 8 }.run { _ in }
        _ = try run(from: "first", in: place, to: "whole").run { _ in }
        let stop = StopAfter(3)
        #expect(throws: TrainingError.self) {
            try run(from: "first", in: place, to: "parts")
                .run(shouldStop: { stop() }) { stop.hear($0) }
        }
        let text = message {
            _ = try run(from: "other", in: place, to: "parts") { $0.resume = true }.run { _ in }
        }
        #expect(text.hasSuffix("is of a run on another adapter to begin with"), "in: \(text)")
        _ = try run(from: "first", in: place, to: "parts") { $0.resume = true }.run { _ in }
        let name = "adapter_model.safetensors"
        #expect(try place.read("parts/\(name)") == place.read("whole/\(name)"))
    }

    @Test("What contradicts the adapter is refused by its name")
    func contradictions() throws {
        let place = try Workplace()
        _ = try place.run(LoRA(rank: 2), to: "first").run { _ in }
        let start = try StartAdapter(place.output("first"))
        #expect(try start.method(named: "lora", ["rank": "2"]) is LoRA)
        #expect(try start.method(named: nil) is LoRA)
        let plus = try start.method(named: "lora-plus", ["loraplus-lr-ratio": "4"])
        #expect((plus as? LoRAPlus)?.rateRatio == 4 && (plus as? LoRAPlus)?.lora.rank == 2)
        for (name, options, words) in [
            ("dora", [:], "`method`: 'dora' contradicts the adapter in "),
            ("lora", ["rank": "3"], "`rank`: 3 contradicts the adapter in "),
            ("lora-plus", ["alpha": "1"], "`alpha`: 1.0 contradicts the adapter in "),
        ] as [(String, MethodOptions, String)] {
            let text = message { _ = try start.method(named: name, options) }
            #expect(text.hasPrefix(words), "in: \(text)")
        }
        let changes: [(String, (inout FineTuningRun) -> Void)] = [
            ("targets", { $0.targets = .allLinear }),
            ("modules-to-save", { $0.modulesToSave = ["pooler"] }),
            ("rank", { $0.method = LoRA(rank: 4) }), ("method", { $0.method = FullFineTuning() }),
        ]
        for (name, change) in changes {
            let text = message {
                _ = try run(from: "first", in: place, to: "second", change).run { _ in }
            }
            #expect(text.hasPrefix("`\(name)`: "), "in: \(text)")
        }
        #expect(!place.exists("second"))
    }

    @Test("A folder without an adapter, the run's own, and one of another task are refused")
    func refused() throws {
        let place = try Workplace()
        #expect(message { _ = try StartAdapter(place.model) }.contains("whole model"))
        #expect(message { _ = try StartAdapter(place.data) }.contains("adapter_config.json"))
        _ = try place.run(LoRA(rank: 2), to: "first").run { _ in }
        let own = message {
            _ = try run(from: "first", in: place, to: "first") { $0.overwrite = true }.run { _ in }
        }
        #expect(own.contains("is the folder of the adapter to begin with"), "in: \(own)")
        let bert = try Bert.tiny()
        let set = try AdapterSet(LoRA(rank: 2), of: bert.slots, using: Generator(seed: 1))
        try FileManager.default.createDirectory(
            at: place.output("bare"), withIntermediateDirectories: true)
        try AdapterFolder.write(set, baseModel: "model", to: place.output("bare"))
        let text = message {
            _ = try run(from: "bare", in: place, to: "second") {
                // The head of the checkpoint has two outputs, and is made anew for one.
                $0.task = SentenceTraining(ToyScoreTask.self)
            }.run { _ in }
        }
        #expect(text.contains("does not bring classifier."), "in: \(text)")
    }
}
