import DualTorch

/// An adapter of one linear layer: the layer is run through it while it is in the layer's slot.
///
/// One whose change is a change of the weight is a ``WeightChange``.
public protocol LinearAdapter: AdapterPart {
    /// The adapted layer: x (..., in) to (..., out), in the type of `x`.
    /// - Parameter base: the layer, whose weight the adapter reads and leaves as it is.
    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor
}
