import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTraining

/// Activation checkpointing: the same numbers from less memory.
@Suite struct ActivationCheckpointingTests {
    static let methods: [any FineTuningMethod] = [
        LoRA(rank: 4), LoRA(rank: 4, dropout: 0.2),
        DualLoRA(magnitudeRank: 2, directionRank: 3, gateSteps: 0),
        DualLoRA(magnitudeRank: 2, directionRank: 3, dropout: 0.2, gateSteps: 0),
    ]

    private struct Step {
        let loss: Double
        let gradients: [(name: String, value: Tensor?)]
        /// What the generator gives after it.
        let next: Tensor
    }

    /// One forward and backward of a fresh model with every adapter away from its start.
    private static func step(
        _ model: any TransformerModel, _ method: any FineTuningMethod, recomputing: Bool,
        _ loss: (any TransformerModel, ForwardMode) throws -> Tensor
    ) throws -> Step {
        let generator = try Generator(seed: 1)
        let trainee = try Trainee(model, method: method, targets: nil, using: generator)
        for (index, (_, value)) in (trainee.adapter?.parameters ?? []).enumerated() {
            try withoutGradient {
                _ = try value.copy(from: .seeded(value.shape, seed: UInt64(index), deviation: 0.2))
            }
        }
        let mode = ForwardMode.training(generator, recomputingBlocks: recomputing)
        let loss = try loss(model, mode)
        try loss.backward()
        return Step(
            loss: try loss.item(),
            gradients: try trainee.trainables.map { ($0.name, try $0.tensor.gradient()) },
            next: try .uniform([4], using: generator))
    }

    /// Holds two steps to each other, bit for bit.
    private static func check(_ steps: [Step]) throws {
        #expect(steps[0].loss == steps[1].loss)
        #expect(try steps[0].next.isIdentical(to: steps[1].next))
        var norm = 0.0
        for (plain, again) in zip(steps[0].gradients, steps[1].gradients) {
            #expect((plain.value == nil) == (again.value == nil), "\(plain.name)")
            guard let value = plain.value, let other = again.value else { continue }
            #expect(try value.isIdentical(to: other), "\(plain.name)")
            norm += try value.norm().item()
        }
        #expect(norm > 0.01)
    }

    private static func textLoss(
        of model: any TransformerModel, _ mode: ForwardMode, isPacked: Bool
    ) throws -> Tensor {
        let sequences = try [7, 2, 11, 5].enumerated().map {
            try seededIntegers($1, in: 0..<40, seed: UInt64(100 + $0))
        }
        return try nextTokenLoss(
            of: model, on: sequences, layout: SequenceLayout(isPacked: isPacked, paddingID: 0),
            mode: mode)
    }

    @Test(
        "A decoder's gradients are those without, bit for bit",
        arguments: TinyDecoder.all, [false, true])
    func decoders(_ decoder: TinyDecoder, _ isPacked: Bool) throws {
        for method in Self.methods + [FullFineTuning()] {
            try Self.check(
                try [false, true].map { recomputing in
                    try Self.step(decoder.make(), method, recomputing: recomputing) {
                        try Self.textLoss(of: $0, $1, isPacked: isPacked)
                    }
                })
        }
    }

    @Test("An encoder's gradients are those without, bit for bit", arguments: [0, 0.2])
    func encoder(_ dropout: Double) throws {
        let batch = try TokenBatch.seeded(lengths: [7, 3, 5])
        for method in Self.methods + [FullFineTuning()] {
            try Self.check(
                try [false, true].map { recomputing in
                    try Self.step(
                        Bert.tinyCheckpoint(dropout: dropout), method, recomputing: recomputing
                    ) {
                        try $0.logits(batch, mode: $1).crossEntropy(Tensor([0, 1, 1]))
                    }
                })
        }
    }

    @Test("GPT-2's own dropouts draw the same numbers again")
    func dropout() throws {
        let decoder = TinyDecoder.gpt2(dropout: 0.2)
        for method in Self.methods + [FullFineTuning()] {
            try Self.check(
                try [false, true].map { recomputing in
                    try Self.step(decoder.make(), method, recomputing: recomputing) {
                        try Self.textLoss(of: $0, $1, isPacked: false)
                    }
                })
        }
    }

    @Test("A run writes the same adapter, and can be resumed with it on or off")
    func run() throws {
        let workplace = try Workplace()
        for (name, isOn) in [("off", false), ("on", true)] {
            _ = try workplace.run(to: name) { $0.options.activationCheckpointing = isOn }
                .run { _ in }
        }
        let stop = StopAfter(3)
        #expect(throws: TrainingError.self) {
            try workplace.run(to: "both").run(shouldStop: { stop() }) { stop.hear($0) }
        }
        _ = try workplace.run(to: "both") {
            ($0.options.activationCheckpointing, $0.resume) = (true, true)
        }.run { _ in }
        let expected = try workplace.read("off/adapter_model.safetensors")
        #expect(try workplace.read("on/adapter_model.safetensors") == expected)
        #expect(try workplace.read("both/adapter_model.safetensors") == expected)
    }

    @Test("Live tensors after a step do not grow")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let methods = Self.methods + [FullFineTuning()]
            for (decoder, method) in zip(TinyDecoder.all, methods) {
                let generator = try Generator(seed: 1)
                let trainee = try Trainee(
                    decoder.make(), method: method, targets: nil, using: generator)
                var options = Workplace.options
                (options.epochs, options.batchSize) = (8, 2)
                options.activationCheckpointing = true
                let sequences = try [7, 2, 5].map { try seededIntegers($0, in: 0..<40, seed: 1) }
                let set = CompletionSet(
                    sequences, rowLength: 12, layout: SequenceLayout(isPacked: true, paddingID: 0))
                let trainer = try Trainer(
                    trainee, on: set, scorer: nil, options: options, using: generator)
                var live: [Int] = []
                try trainer.run { event in
                    if case .step = event { live.append(TorchRuntime.liveTensors) }
                }
                #expect(live.count >= 8)
                #expect(Set(live.dropFirst()).count == 1, "\(live)")
            }
        }
    }

    /// What a forward of a deep model keeps until its backward, in MiB of resident memory.
    private static func kept(recomputing: Bool) throws -> Double {
        let model = try TinyDecoder.deep.make()
        let generator = try Generator(seed: 1)
        _ = try Trainee(model, method: LoRA(rank: 2), targets: .allLinear, using: generator)
        let mode = ForwardMode.training(generator, recomputingBlocks: recomputing)
        let ids = try (0..<4).map { try seededIntegers(256, in: 0..<40, seed: UInt64($0)) }
        func loss() throws -> Tensor {
            try nextTokenLoss(
                of: model, on: ids, layout: SequenceLayout(isPacked: false, paddingID: 0),
                mode: mode)
        }
        // What it takes whether it keeps anything or not.
        _ = try withoutGradient { try loss() }
        let before = try residentMiB()
        let kept = try loss()
        return try withExtendedLifetime(kept) { try residentMiB() - before }
    }

    private static func residentMiB() throws -> Double {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return Double(text.split(separator: " ")[1]).map { $0 * 4096 / 1_048_576 } ?? 0
    }

    #if os(Linux)
        @Test("A deep model keeps a fraction of its activations")
        func memory() async {
            await #expect(processExitsWith: .success) {
                // In this order: what is freed may be used again.
                let less = try Self.kept(recomputing: true)
                let plain = try Self.kept(recomputing: false)
                #expect(plain > 30, "\(plain) MiB")
                #expect(less < plain / 2, "\(less) of \(plain) MiB")
            }
        }
    #endif

    // MARK: - What needs no gradient

    @Test("Below the first adapter no gradient is recorded", arguments: [false, true])
    func frozenBelow(_ recomputing: Bool) throws {
        for decoder in TinyDecoder.all {
            let model = try decoder.make()
            // The last block's layers alone.
            let last = model.linears[model.linears.count / 2]
            let adapter = try LoRA(rank: 2).makeAdapter(for: last, using: Generator(seed: 1))
            let watch = Watch(adapter)
            last.adapter = watch
            for (_, value) in adapter.parameters { try value.requireGradient() }
            let below = model.linears[0]
            let spy = Watch(nil)
            below.adapter = spy
            let mode = try ForwardMode.training(
                Generator(seed: 1), recomputingBlocks: recomputing)
            let loss = try Self.textLoss(of: model, mode, isPacked: true)
            #expect(spy.inputsNeedGradient == [false] && watch.inputsNeedGradient == [false])
            try loss.backward()
            #expect(spy.inputsNeedGradient.count == 1, "a frozen block runs once")
            #expect(watch.inputsNeedGradient.count == (recomputing ? 2 : 1))
            #expect(watch.inputsNeedGradient.allSatisfy { !$0 })
            for (_, value) in adapter.parameters { #expect(try value.gradient() != nil) }
        }
    }

    /// Notes whether what comes into a layer is part of the graph.
    private final class Watch: LinearAdapter {
        private let inner: (any LinearAdapter)?
        private(set) var inputsNeedGradient: [Bool] = []

        init(_ inner: (any LinearAdapter)?) { self.inner = inner }

        var parameters: [(name: String, value: Tensor)] { inner?.parameters ?? [] }

        func callAsFunction(
            _ x: Tensor, through base: Linear, mode: ForwardMode
        ) throws -> Tensor {
            inputsNeedGradient.append(x.requiresGradient)
            return try inner?(x, through: base, mode: mode) ?? base.frozen(x)
        }
    }
}
