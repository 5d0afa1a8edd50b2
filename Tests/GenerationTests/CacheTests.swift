import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

/// A small decoder of each kind.
enum Decoder: String, CaseIterable, Sendable {
    case llama, grouped, window, tied, normalized, dynamic, gpt2

    func model(_ dtype: DType = .float32) throws -> any CausalModel {
        let source = WeightSource(nil, dtype: nil, generator: try Generator(seed: 5))
        if self == .gpt2 {
            var configuration = GPT2Configuration()
            (configuration.vocabularySize, configuration.hiddenSize) = (40, 24)
            (configuration.layers, configuration.heads) = (2, 3)
            (configuration.intermediateSize, configuration.maximumPositions) = (40, 40)
            configuration.initializerRange = 0.3
            return try GPT2(source, configuration, hasHead: true, computeType: dtype)
        }
        var configuration = LlamaConfiguration()
        (configuration.vocabularySize, configuration.hiddenSize) = (40, 24)
        (configuration.layers, configuration.heads, configuration.headSize) = (2, 4, 6)
        configuration.keyValueHeads = self == .grouped ? 2 : self == .window ? 1 : 4
        configuration.intermediateSize = 40
        configuration.initializerRange = 0.3
        configuration.sharesEmbedding = self == .tied
        configuration.normalizesQueriesAndKeys = self == .normalized
        configuration.windows = [self == .window ? 3 : nil, self == .window ? 5 : nil]
        configuration.rotary = RotaryEmbedding(
            headSize: 6, base: 100,
            scaling: self == .dynamic ? .dynamic(factor: 2, length: 64) : .none)
        return try Llama(source, configuration, hasHead: true, computeType: dtype)
    }
}

@Suite struct CacheTests {
    private static let prompts = [[3, 9, 17, 4, 22, 8, 1], [5, 6], [11, 30, 2, 7]]

    /// Logits of the last tokens, read with a cache: first the prompts, then a token at a time.
    private func withCache(_ model: any CausalModel, _ rows: [[Int]], _ more: [[Int]]) throws
        -> [[Float]]
    {
        let batch = try TokenBatch(ids: rows, paddingID: 0, side: .left)
        let length = batch.ids.size(1)
        let cache = try model.makeCache(
            leftPadding: rows.map { length - $0.count }, capacity: length + more.count)
        var logits = try model.nextLogits(batch.ids, cache: cache)
        for tokens in more {
            logits = try model.nextLogits(Tensor(tokens, [tokens.count, 1]), cache: cache)
        }
        return try rows.indices.map { try logits.selecting($0).array() }
    }

    @Test("A cache changes nothing, in a padded batch either", arguments: Decoder.allCases)
    func aCacheChangesNothing(_ decoder: Decoder) throws {
        let model = try decoder.model()
        let more = [[12, 13, 14], [7, 8, 9], [21, 20, 19]]
        let found = try withCache(model, Self.prompts, more)
        for (index, prompt) in Self.prompts.enumerated() {
            let whole = prompt + more.map { $0[index] }
            let plain: [Float] = try withoutGradient {
                try model.logits(TokenBatch(ids: [whole], paddingID: 0))
                    .selecting(whole.count - 1, along: 1).array()
            }
            let difference = zip(found[index], plain).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 1e-4, "row \(index) differs by \(difference)")
        }
    }

    @Test("bfloat16 is near float32", arguments: Decoder.allCases)
    func bfloat16IsNearFloat32(_ decoder: Decoder) throws {
        let more = [[12, 13, 14], [7, 8, 9]]
        let wide = try withCache(decoder.model(), Self.prompts, more).flatMap { $0 }
        let narrow = try withCache(decoder.model(.bfloat16), Self.prompts, more).flatMap { $0 }
        let scale = wide.map { $0 * $0 }.reduce(0, +)
        let error = zip(wide, narrow).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
        #expect((error / scale).squareRoot() < 0.05)
    }

    @Test func aFullCacheTakesNoMore() throws {
        let model = try Decoder.llama.model()
        let cache = try model.makeCache(leftPadding: [0], capacity: 2)
        _ = try model.nextLogits(Tensor([1, 2], [1, 2]), cache: cache)
        #expect(throws: CacheError.self) {
            try model.nextLogits(Tensor([3], [1, 1]), cache: cache)
        }
    }
}
