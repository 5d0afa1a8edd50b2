import DualTorch

/// An adapter at the end of a block, which changes the block's output.
public protocol BlockAdapter: AdapterPart {
    /// The changed output.
    /// - Parameters:
    ///   - x: the block's output (B, T, E).
    ///   - places: the sequences' tokens in the rows of `x`.
    /// - Returns: (B, T, E), in the type of `x`.
    func callAsFunction(_ x: Tensor, at places: TokenPlaces, mode: ForwardMode) throws -> Tensor
}
