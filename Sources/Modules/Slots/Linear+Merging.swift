import DualTorch

extension Linear {
    /// The change of the weight that the layer's adapter makes; nil for a layer without an adapter.
    /// - Throws: ``MergeObstacle/noWeightChange(layer:)`` of an adapter that changes something else.
    public var weightChange: (any WeightChange)? {
        get throws {
            guard let adapter else { return nil }
            guard let change = adapter as? any WeightChange else {
                throw MergeObstacle.noWeightChange(layer: path)
            }
            return change
        }
    }

    /// W + ΔW (out, in).
    /// - Parameter dtype: nil for the type of W.
    /// - Throws: ``MergeObstacle/noWeightChange(layer:)``.
    public func mergedWeight(as dtype: DType? = nil) throws -> Tensor {
        try withoutGradient {
            let own = try weight.value
            guard let change = try weightChange else { return try own.to(dtype ?? own.dtype) }
            guard let dtype, dtype != own.dtype else { return try change.updatedWeight(for: self) }
            let wide: DType = own.dtype == .float64 ? .float64 : .float32
            return try (own.to(wide) + change.weightUpdate(for: self).to(wide)).to(dtype)
        }
    }

    /// b + Δb (out) in the type of b; nil where there is neither.
    /// - Throws: ``MergeObstacle``, also where there is a Δb and no b to add it to.
    public func mergedBias() throws -> Tensor? {
        try withoutGradient {
            guard let update = try weightChange?.biasUpdate(for: self) else {
                return try bias?.value
            }
            guard let own = try bias?.value else { throw MergeObstacle.noBias(layer: path) }
            let wide: DType = own.dtype == .float64 ? .float64 : .float32
            return try (own.to(wide) + update.to(wide)).to(own.dtype)
        }
    }

    /// Puts W + ΔW in the place of W, and b + Δb in that of b, and empties the slot.
    /// - Throws: ``MergeObstacle``; then the layer is left as it is.
    public func mergeAdapter() throws {
        let (mergedWeight, mergedBias) = (try mergedWeight(), try mergedBias())
        weight.stored = .plain(mergedWeight)
        if let mergedBias { bias?.stored = .plain(mergedBias) }
        adapter = nil
    }
}
