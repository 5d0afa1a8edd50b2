import DualModules
import DualTorch

/// The body of an encoder, which ``Encoder`` makes a model of.
public protocol EncoderBody: TransformerBody
where Configuration: EncoderConfiguration, Layer == EncoderPass.Layer {
    /// - Parameters:
    ///   - scope: of the body's weights.
    ///   - hasHead: whether a head will read ``summary(of:mode:)``.
    init(_ scope: WeightScope, _ configuration: Configuration, hasHead: Bool) throws

    /// The linear layers behind the blocks that adapters may change.
    var lastLinears: [Linear] { get }

    /// The first block's input (B, T, E) in the pass' type: embeddings of the batch's words with those of
    /// a prompt, and what positions and types add.
    func embedded(_ batch: TokenBatch, _ pass: EncoderPass) throws -> Tensor

    /// A sequence's features (B, E), which the head scores, from hidden states (B, T, E); nil for a model
    /// without the layers that make them.
    func summary(of hidden: Tensor, mode: ForwardMode) throws -> Tensor?
}
