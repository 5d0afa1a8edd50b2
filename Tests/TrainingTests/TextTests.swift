import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualTraining

@Suite struct TextTests {
    private static let sequences = try? [7, 2, 5, 11, 3].enumerated().map {
        try seededIntegers($1, in: 0..<40, seed: UInt64(100 + $0))
    }

    private static let methods: [any AdapterMethod] = [
        LoRA(rank: 4), DualLoRA(magnitudeRank: 2, directionRank: 3, gateSteps: 0),
    ]

    /// The loss and the adapter's gradients by name, with every factor away from zero.
    private func lossAndGradients(
        _ decoder: TinyDecoder, _ method: any AdapterMethod, _ sequences: [[Int]], isPacked: Bool
    ) throws -> (loss: Double, gradients: [(name: String, value: Tensor)]) {
        let model = try decoder.make()
        let adapter = try AdapterSet(
            method, targets: .allLinear, of: model.linears, savedParameters: [],
            using: Generator(seed: 5))
        for (index, (_, value)) in adapter.parameters.enumerated() {
            try value.copy(
                from: .seeded(value.shape, seed: UInt64(index), deviation: 0.2))
            try value.requireGradient()
        }
        let layout = SequenceLayout(isPacked: isPacked, paddingID: 0)
        let loss = try nextTokenLoss(
            of: model, on: sequences, layout: layout, mode: .training(Generator(seed: 1)))
        try loss.backward()
        let gradients = try adapter.parameters.map {
            ($0.name, try #require(try $0.value.gradient()))
        }
        return (try loss.item(), gradients)
    }

    @Test(
        "Packed sequences have the loss and the gradients of padded ones",
        arguments: TinyDecoder.all, [0, 1])
    func packing(_ decoder: TinyDecoder, _ method: Int) throws {
        let sequences = try #require(Self.sequences)
        let padded = try lossAndGradients(
            decoder, Self.methods[method], sequences, isPacked: false)
        let packed = try lossAndGradients(decoder, Self.methods[method], sequences, isPacked: true)
        #expect(abs(padded.loss - packed.loss) < 1e-5)
        var norm = 0.0
        for (expected, found) in zip(padded.gradients, packed.gradients) {
            #expect(expected.name == found.name)
            #expect(try expected.value.isClose(to: found.value, absolute: 1e-5), "\(found.name)")
            norm += try expected.value.norm().item()
        }
        #expect(norm > 0.1)
    }

    @Test("A sequence's loss does not depend on what it is packed with", arguments: TinyDecoder.all)
    func leaks(_ decoder: TinyDecoder) throws {
        let sequences = try #require(Self.sequences)
        let model = try decoder.make()
        let layout = SequenceLayout(isPacked: true, paddingID: 0)
        func total(_ part: [[Int]]) throws -> Double {
            let predicted = part.reduce(0) { $0 + $1.count - 1 }
            return try nextTokenLoss(of: model, on: part, layout: layout).item() * Double(predicted)
        }
        let alone = try sequences.reduce(0) { try $0 + total([$1]) }
        #expect(try abs(total(sequences) - alone) < 1e-4)
        #expect(try abs(total(sequences.reversed()) - alone) < 1e-4)
    }

    @Test("Packed batches keep to their tokens, and see every sequence once an epoch")
    func packedPlan() {
        let lengths = (0..<200).map { 2 + ($0 * 37) % 31 }
        let plan = BatchPlan(
            lengths: lengths, batchSize: 2, accumulation: 1, batching: .packed(rowLength: 32),
            seed: 3)
        for epoch in 0..<3 {
            let batches = plan.epoch(epoch).flatMap { $0 }
            #expect(batches.flatMap { $0 }.sorted() == Array(0..<200))
            #expect(batches.allSatisfy { $0.reduce(0) { $0 + lengths[$1] } <= 64 })
            #expect(batches.count < lengths.reduce(0, +) / 32)
        }
        #expect(plan.epoch(0) != plan.epoch(1))
    }

    @Test("A step's place follows from the steps of the epochs before it")
    func places() {
        let lengths = (0..<50).map { 2 + ($0 * 37) % 31 }
        let plan = BatchPlan(
            lengths: lengths, batchSize: 2, accumulation: 3, batching: .packed(rowLength: 32),
            seed: 3)
        var step = 0
        for epoch in 0..<4 {
            let count = plan.epoch(epoch).count
            for index in 0..<count {
                let place = plan.place(ofStep: step)
                #expect(place.epoch == epoch && place.index == index && place.steps == count)
                step += 1
            }
        }
        #expect(plan.steps(ofEpochs: 4) == step)
        #expect(plan.epochs(atStep: step) == 4)
    }

    @Test("Without shuffling, batches follow the order of the data")
    func order() {
        let plan = BatchPlan(
            lengths: [3, 9, 4, 4, 2], batchSize: 2, accumulation: 1, shuffles: false, seed: 1)
        #expect(plan.epoch(0) == [[[0, 1]], [[2, 3]], [[4]]])
        #expect(plan.epoch(1) == plan.epoch(0))
    }

    @Test("A training step on text leaks no tensor, packed or padded")
    func tensors() async {
        await #expect(processExitsWith: .success) {
            let sequences = try #require(Self.sequences)
            for (decoder, isPacked) in zip(TinyDecoder.all, [true, false, true, false, true, true])
            {
                let generator = try Generator(seed: 1)
                let trainee = try Trainee(
                    decoder.make(), method: DualLoRA(magnitudeRank: 2, directionRank: 2),
                    targets: nil, using: generator)
                var options = Workplace.options
                (options.epochs, options.batchSize) = (8, 2)
                let layout = SequenceLayout(isPacked: isPacked, paddingID: 0)
                let set = TextSet(sequences, rowLength: 12, layout: layout)
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
}
