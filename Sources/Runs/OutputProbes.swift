import DualModels
import DualModules
import DualTorch

/// What a model says of a few random sequences of several lengths, so that padding is met too: by it two
/// forms of one model are compared.
struct OutputProbes {
    private let batch: TokenBatch

    init(for model: any TransformerModel) throws {
        var random = SplitMix64(seed: 1)
        let sequences = [5, 17, 32].map { length in
            let ids = (0..<min(length, model.maximumLength ?? length)).map { _ in
                Int.random(in: 0..<model.vocabularySize, using: &random)
            }
            return (ids: ids, typeIDs: ids.map { _ in 0 })
        }
        batch = try TokenBatch(sequences, paddingID: 0)
    }

    /// The hidden states, and the logits of a model with a head.
    func outputs(of model: any TransformerModel) throws -> [Tensor] {
        try withoutGradient {
            let hidden = try model.hiddenStates(batch, mode: .inference)
            let logits = try model.logits(ofHidden: hidden, mode: .inference)
            return [hidden] + (logits.map { [$0] } ?? [])
        }
    }
}
