import DualTorch

/// An adapter of one embedding: vectors are looked up through it while it is in the embedding's slot.
///
/// One whose change is a change of the table is an ``EmbeddingChange``.
public protocol EmbeddingAdapter: AdapterPart {
    /// The adapted embedding: (...) of int64 to (..., size), in the type of the table.
    /// - Parameter base: the embedding, whose table the adapter reads and leaves as it is.
    func callAsFunction(_ indices: Tensor, through base: Embedding) throws -> Tensor
}

/// An embedding's adapter whose change is one of the table, W + ΔW, so that it can be merged and added to
/// others.
public protocol EmbeddingChange: EmbeddingAdapter {
    /// ΔW (count, size) in the parameters' type, differentiable.
    func weightUpdate(for base: Embedding) throws -> Tensor

    /// W + ΔW in the type of W, outside the graph.
    func updatedWeight(for base: Embedding) throws -> Tensor
}

extension EmbeddingChange {
    /// The sum is formed in float32, or in W's type if that is wider.
    public func updatedWeight(for base: Embedding) throws -> Tensor {
        let weight = try base.weight.value
        let wide: DType = weight.dtype == .float64 ? .float64 : .float32
        return try (weight.to(wide) + weightUpdate(for: base).to(wide)).to(weight.dtype)
    }
}

extension Embedding {
    /// W + ΔW (count, size); W where there is no adapter.
    /// - Parameter dtype: nil for the type of W.
    /// - Throws: ``MergeObstacle/noWeightChange(layer:)``.
    public func mergedWeight(as dtype: DType? = nil) throws -> Tensor {
        let own = try weight.value
        guard let adapter else { return try own.to(dtype ?? own.dtype) }
        guard let change = adapter as? any EmbeddingChange else {
            throw MergeObstacle.noWeightChange(layer: path)
        }
        return try withoutGradient {
            guard let dtype, dtype != own.dtype else { return try change.updatedWeight(for: self) }
            let wide: DType = own.dtype == .float64 ? .float64 : .float32
            return try (own.to(wide) + change.weightUpdate(for: self).to(wide)).to(dtype)
        }
    }
}
