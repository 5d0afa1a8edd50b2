import DualModels
import DualModules
import DualTorch

/// What a model says of a few random sequences of several lengths, so that padding is met too: by it two
/// forms of one model are compared.
///
/// What is said of padding is not compared: nothing uses it, and in some models it hangs on the last bit of the
/// weights.
struct OutputProbes {
    private let batch: TokenBatch
    /// Of all places (B · T), those of tokens.
    private let tokens: [Int]

    init(for model: any TransformerModel) throws {
        var random = SplitMix64(seed: 1)
        let sequences = [5, 17, 32].map { length in
            let ids = (0..<min(length, model.maximumLength ?? length)).map { _ in
                Int.random(in: 0..<model.vocabularySize, using: &random)
            }
            return (ids: ids, typeIDs: ids.map { _ in 0 })
        }
        batch = try TokenBatch(sequences, paddingID: 0)
        let length = batch.ids.size(1)
        tokens = sequences.enumerated().flatMap { row, sequence in
            sequence.ids.indices.map { row * length + $0 }
        }
    }

    /// The hidden states, and the logits of a model with a head.
    func outputs(of model: any TransformerModel) throws -> [Tensor] {
        try withoutGradient {
            let hidden = try model.hiddenStates(batch, mode: .inference)
            let logits = try model.logits(ofHidden: hidden, mode: .inference)
            return try ([hidden] + (logits.map { [$0] } ?? [])).map(ofTokens)
        }
    }

    /// The rows of a (B, T, ...) tensor that are tokens'; one that has no row for each token as it is.
    private func ofTokens(_ output: Tensor) throws -> Tensor {
        guard output.rank == 3 else { return output }
        return try output.reshaped(-1, output.size(-1)).gathered(rows: Tensor(tokens))
    }
}
