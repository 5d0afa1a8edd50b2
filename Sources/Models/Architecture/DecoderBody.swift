import DualModules
import DualTorch

/// The body of a decoder, which ``Decoder`` makes a model of.
public protocol DecoderBody: TransformerBody
where Configuration: DecoderConfiguration, Layer == DecoderPass.Layer {
    /// - Parameter scope: of the body's weights.
    init(_ scope: WeightScope, _ configuration: Configuration) throws

    /// The rotary positions of queries and keys; nil for an architecture whose positions are embedded.
    var rotary: RotaryEmbedding? { get }

    /// By layer, how many tokens a token sees, its own counted; nil for all before it.
    var windows: [Int?] { get }

    /// The first block's input (B, T, E) in the pass' type: embeddings of the words `ids` (B, T) with
    /// those of a prompt, and what positions add.
    func embedded(_ ids: Tensor, _ pass: DecoderPass) throws -> Tensor
}

extension DecoderBody {
    public var rotary: RotaryEmbedding? { nil }

    public var windows: [Int?] { blocks.map { _ in nil } }
}
