import DualTorch

/// One block of a model, which most often is attention and a feed-forward.
public protocol TransformerBlock<Layer>: AnyObject {
    /// The block's share of a pass: that of a decoder, or of an encoder.
    associatedtype Layer

    /// The block's linear layers, in the model's order.
    var linears: [Linear] { get }
    /// The linear layers by their part in the block.
    var layers: BlockLayers { get }
    /// The slot for an adapter behind the block. The loop over the blocks runs it, not the block.
    var end: BlockEnd { get }

    /// - Parameter input: the stream (B, T, E) and the branch of the block before, which this block's
    ///   first norm adds to it.
    /// - Returns: the stream and this block's branch, which the next norm adds.
    func callAsFunction(_ input: ResidualStream, _ layer: Layer) throws -> ResidualStream
}
