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

/// Losses and gradients of sequences of which some tokens are learnt.
@Suite struct CompletionTests {
    /// Sixteen sequences of unlike lengths, of which unlike shares are learnt.
    private static func examples() throws -> [CompletionExample] {
        try (0..<16).map { number in
            let length = 3 + (number * 7) % 13
            let ids = try seededIntegers(length, in: 0..<40, seed: UInt64(200 + number))
            let first = 1 + (number * 5) % (length - 1)
            return CompletionExample(ids: ids, isTrained: ids.indices.map { $0 >= first })
        }
    }

    @Test(
        "Only learnt tokens have a loss, whatever the layout", arguments: [false, true], [0.0, 0.1])
    func loss(_ isPacked: Bool, _ smoothing: Double) throws {
        let model = try TinyDecoder.all[0].make()
        let examples = try Self.examples()
        let found = try completionLoss(
            of: model, on: examples, layout: SequenceLayout(isPacked: isPacked, paddingID: 0),
            labelSmoothing: smoothing
        ).item()
        var (total, count) = (0.0, 0)
        for example in examples {
            let logits = try model.logits(TokenBatch(packed: [example.ids])).selecting(0)
                .to(.float64)
            for place in example.ids.indices where example.isTrained[place] {
                total += try logits.slice(place - 1..<place).crossEntropy(
                    Tensor([example.ids[place]]), labelSmoothing: smoothing
                ).item()
                count += 1
            }
        }
        #expect(abs(found - total / Double(count)) < 1e-5)
    }

    @Test(
        "An edit of a prompt's tokens is the same where the answer follows in the same pass",
        arguments: TinyDecoder.all, [false, true])
    func editedPrompts(_ decoder: TinyDecoder, _ isPacked: Bool) throws {
        let model = try decoder.make()
        let method = LoReFT(rank: 2, positions: EditedPositions(first: 2, last: 1))
        let set = try AdapterSet(method, of: model.slots, using: Generator(seed: 1))
        for (index, (_, value)) in set.parameters.enumerated() {
            try value.copy(from: .seeded(value.shape, seed: UInt64(index), deviation: 0.5))
        }
        // A prompt of one token is not told from none.
        let examples = try Self.examples().filter { !$0.isTrained[1] }
        #expect(examples.count > 8)
        let found = try completionLoss(
            of: model, on: examples, layout: SequenceLayout(isPacked: isPacked, paddingID: 0)
        ).item()
        var (total, count) = (0.0, 0)
        for example in examples {
            // As it is generated: the prompt, and behind it token by token.
            let start = try #require(example.isTrained.firstIndex(of: true))
            let cache = try model.makeCache(leftPadding: [0], capacity: example.ids.count)
            var logits = try model.nextLogits(
                Tensor(Array(example.ids[..<start]), [1, start]), cache: cache)
            for id in example.ids[start...] {
                total += try logits.crossEntropy(Tensor([id])).item()
                count += 1
                logits = try model.nextLogits(Tensor([id], [1, 1]), cache: cache)
            }
        }
        #expect(abs(found - total / Double(count)) < 1e-4)
        // Were the answers' tokens edited, it would not be.
        let plain = examples.map { CompletionExample($0.ids) }
        #expect(plain.allSatisfy { $0.promptLength == nil })
    }

    /// The gradient of one optimizer step over all examples, split into batches of so many.
    private func gradients(
        _ decoder: TinyDecoder, batchSize: Int, isPacked: Bool
    ) throws -> [Tensor] {
        let examples = try Self.examples()
        let generator = try Generator(seed: 3)
        let trainee = try Trainee(
            decoder.make(), method: DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 0),
            targets: nil, using: generator)
        for (index, trainable) in trainee.trainables.enumerated() {
            try withoutGradient {
                _ = try trainable.tensor.copy(
                    from: .seeded(trainable.tensor.shape, seed: UInt64(index), deviation: 0.2))
            }
        }
        let set = CompletionSet(
            examples, rowLength: 16,
            layout: SequenceLayout(isPacked: isPacked, paddingID: 0), labelSmoothing: 0.1)
        var options = Workplace.options
        (options.steps, options.batchSize) = (1, batchSize)
        options.gradientLimit = nil
        // However few examples a batch has, the step takes them all.
        options.accumulation = examples.count
        let trainer = try Trainer(
            trainee, on: set, scorer: nil, options: options, using: generator)
        trainer.prepareAdapters()
        _ = try trainer.accumulate(trainer.plan.epoch(0)[0])
        return try trainee.trainables.map { try #require(try $0.tensor.gradient()) }
    }

    @Test(
        "A step's gradient is the same as 1 batch of 16, 4 of 4 and 16 of 1, packed or padded",
        arguments: TinyDecoder.all)
    func microBatches(_ decoder: TinyDecoder) throws {
        let expected = try gradients(decoder, batchSize: 16, isPacked: false)
        let norm = try expected.reduce(0) { try $0 + $1.norm().item() }
        #expect(norm > 0.01)
        for isPacked in [false, true] {
            for batchSize in [1, 4, 16] {
                let found = try gradients(decoder, batchSize: batchSize, isPacked: isPacked)
                for (one, other) in zip(expected, found) {
                    #expect(
                        try one.isClose(to: other, absolute: 1e-5),
                        "\(batchSize) a batch, packed: \(isPacked)")
                }
            }
        }
    }

    @Test("A score is the mean over learnt tokens, not over batches")
    func score() throws {
        let model = try TinyDecoder.all[0].make()
        let examples = try Self.examples()
        let layout = SequenceLayout(isPacked: false, paddingID: 0)
        let whole = try completionLoss(of: model, on: examples, layout: layout).item()
        let scorer = CompletionScorer(examples, rowLength: 16, layout: layout)
        let evaluation = try scorer.evaluate(model)
        #expect(abs(evaluation.loss - whole) < 1e-5)
        #expect(abs(evaluation.value - exp(whole)) < 1e-3 * exp(whole))
        #expect(evaluation.exampleCount == examples.count)
    }

    @Test("A sequence of which nothing is learnt trains nothing and does not count")
    func nothingLearnt() throws {
        let examples = try Self.examples()
        let empty = CompletionExample(ids: [1, 2, 3], isTrained: [true, false, false])
        #expect(empty.trainedCount == 0)
        let set = CompletionSet(
            examples + [empty], rowLength: 16,
            layout: SequenceLayout(isPacked: true, paddingID: 0))
        #expect(set.lengths == examples.map(\.ids.count))
    }
}
