/// The linear layers of one block by their part in it.
public struct BlockLayers {
    /// The projection of attention's heads back to the stream.
    public let attentionOutput: Linear
    /// The feed-forward's first layer; in a gated one, the layer beside the gate.
    public let feedForwardInput: Linear
    /// The feed-forward's last layer.
    public let feedForwardOutput: Linear

    public init(attentionOutput: Linear, feedForwardInput: Linear, feedForwardOutput: Linear) {
        self.attentionOutput = attentionOutput
        self.feedForwardInput = feedForwardInput
        self.feedForwardOutput = feedForwardOutput
    }
}
