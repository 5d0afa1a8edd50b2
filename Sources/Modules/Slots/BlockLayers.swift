/// The linear layers of one block by their part in it.
public struct BlockLayers {
    /// What attention's heads go through on their way back to the stream.
    public let attentionOutput: Linear
    /// Into the feed-forward; of a gated one, the layer beside the gate.
    public let feedForwardInput: Linear
    /// Out of it.
    public let feedForwardOutput: Linear

    public init(attentionOutput: Linear, feedForwardInput: Linear, feedForwardOutput: Linear) {
        self.attentionOutput = attentionOutput
        self.feedForwardInput = feedForwardInput
        self.feedForwardOutput = feedForwardOutput
    }
}
