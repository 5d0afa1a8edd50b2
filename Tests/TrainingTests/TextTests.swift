import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualRuns
@testable import DualTasks
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
            method, targets: .allLinear, of: model.slots,
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
                let set = CompletionSet(sequences, rowLength: 12, layout: layout)
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

    // MARK: - Chunks of logits

    /// The mean loss from the logits of every place at once, by LibTorch's own operators.
    private func wholeLoss(
        of model: any TransformerModel, _ sequences: [[Int]], mode: ForwardMode
    ) throws -> Tensor {
        let logits = try model.logits(TokenBatch(packed: sequences), mode: mode)  // (1, T, classes)
        var (places, labels, start) = ([Int](), [Int](), 0)
        for sequence in sequences {
            places += start..<start + sequence.count - 1
            labels += sequence.dropFirst()
            start += sequence.count
        }
        return try logits.selecting(0).gathered(rows: Tensor(places)).to(.float32)
            .crossEntropy(Tensor(labels))
    }

    /// Holds the loss of nextTokenLoss and its gradients at `leaves` to those of whole logits.
    private func checkLoss(
        of model: any TransformerModel, at leaves: [(name: String, value: Tensor)],
        recomputingBlocks: Bool = false
    ) throws {
        let sequences = try #require(Self.sequences)
        let layout = SequenceLayout(isPacked: true, paddingID: 0)
        func mode() throws -> ForwardMode {
            try .training(Generator(seed: 1), recomputingBlocks: recomputingBlocks)
        }
        let loss = try nextTokenLoss(of: model, on: sequences, layout: layout, mode: mode())
        let whole = try wholeLoss(of: model, sequences, mode: mode())
        #expect(abs(try loss.item() - whole.item()) < 1e-5)
        let found = try loss.gradients(with: leaves.map(\.value))
        let expected = try whole.gradients(with: leaves.map(\.value))
        for (leaf, (found, expected)) in zip(leaves, zip(found, expected)) {
            let (found, expected) = (try #require(found), try #require(expected))
            #expect(try found.isClose(to: expected, absolute: 1e-5), "\(leaf.name)")
            #expect(try expected.norm().item() > 1e-3, "\(leaf.name)")
        }
    }

    @Test(
        "Loss and gradients of every weight are those of whole logits, tied or not",
        arguments: TinyDecoder.all, [false, true])
    func wholeLogits(_ decoder: TinyDecoder, _ recomputes: Bool) throws {
        let model = try decoder.make()
        let leaves = try model.parameters.map { ($0.name, try $0.value.requireGradient()) }
        // A bias of all keys moves every score of a query alike.
        try checkLoss(
            of: model, at: leaves.filter { !$0.0.hasSuffix("k_proj.bias") },
            recomputingBlocks: recomputes)
    }

    @Test("A head with an adapter trains, dropout and all", arguments: [0.0, 0.3])
    func adaptedHead(_ dropout: Double) throws {
        let model = try TinyDecoder.all[0].make()
        let head = try #require(model.head)
        let adapter = try LoRA(rank: 2, dropout: dropout)
            .makeAdapter(for: head, using: Generator(seed: 5))
        head.adapter = adapter
        for (index, (_, value)) in adapter.parameters.enumerated() {
            try value.copy(from: .seeded(value.shape, seed: UInt64(index)))
            try value.requireGradient()
        }
        let layout = SequenceLayout(isPacked: true, paddingID: 0)
        let sequences = try #require(Self.sequences)
        if dropout == 0 { return try checkLoss(of: model, at: adapter.parameters) }
        let losses = try (0..<2).map { _ in
            let mode = try ForwardMode.training(Generator(seed: 1))
            return try nextTokenLoss(of: model, on: sequences, layout: layout, mode: mode)
        }
        let gradients = try losses.map {
            try $0.gradients(with: adapter.parameters.map(\.value)).compactMap { $0 }
        }
        #expect(try losses[0].item() == losses[1].item())
        for (first, second) in zip(gradients[0], gradients[1]) {
            #expect(try first.isIdentical(to: second))
            #expect(try first.norm().item() > 1e-3)
        }
    }

    @Test("A head with a bias takes it into the logits, and its gradient from them")
    func biasedHead() throws {
        let model = try BiasedDecoder(TinyDecoder.all[0].make())
        let leaves = try model.parameters.suffix(2).map {
            ($0.name, try $0.value.requireGradient())
        }
        try checkLoss(of: model, at: leaves)
    }
}

/// A decoder whose head has a bias.
private final class BiasedDecoder: CausalModel {
    private let body: any CausalModel
    let head: Linear?
    let parameters: [Parameter]

    init(_ body: any CausalModel) throws {
        self.body = body
        let size = body.linears[0].inputSize
        let head = Linear(
            path: "lm_head", weight: try .seeded([40, size], seed: 1),
            bias: try .seeded([40], seed: 2))
        self.head = head
        parameters = body.parameters + [head.weight] + (head.bias.map { [$0] } ?? [])
    }

    var className: String { body.className }
    var slots: AdapterSlots { body.slots }
    var computeType: DType { body.computeType }
    var maximumLength: Int? { body.maximumLength }
    var vocabularySize: Int { body.vocabularySize }

    func hiddenStates(
        _ ids: Tensor, layout: BatchLayout, cache: KeyValueCache?, mode: ForwardMode
    ) throws -> Tensor {
        try body.hiddenStates(ids, layout: layout, cache: cache, mode: mode)
    }

    func makeCache(leftPadding: [Int], capacity: Int) throws -> KeyValueCache {
        try body.makeCache(leftPadding: leftPadding, capacity: capacity)
    }
}
