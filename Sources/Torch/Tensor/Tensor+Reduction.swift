extension Tensor {
    /// The sum of all elements (`torch.sum`).
    public func sum() throws -> Tensor { try call("aten::sum", [.tensor(self)]) }

    /// The sums along a dimension, which goes unless it is kept with size 1 (`torch.sum`).
    public func sum(along dimension: Int, keepingDimension: Bool = false) throws -> Tensor {
        try call(
            "aten::sum.dim_IntList",
            [.tensor(self), .ints([dimension]), .bool(keepingDimension)])
    }

    /// The mean of all elements (`torch.mean`).
    public func mean() throws -> Tensor { try call("aten::mean", [.tensor(self)]) }

    /// The means along a dimension, which goes unless it is kept with size 1 (`torch.mean`).
    public func mean(along dimension: Int, keepingDimension: Bool = false) throws -> Tensor {
        try call(
            "aten::mean.dim", [.tensor(self), .ints([dimension]), .bool(keepingDimension)])
    }

    /// The greatest element (`torch.max`).
    public func maximum() throws -> Tensor { try call("aten::max", [.tensor(self)]) }

    /// The index of the greatest element along a dimension (`torch.argmax`).
    public func indexOfMaximum(along dimension: Int) throws -> Tensor {
        try call("aten::argmax", [.tensor(self), .int(dimension)])
    }

    /// √Σx² of all elements (`torch.linalg.vector_norm`).
    public func norm() throws -> Tensor { try call("aten::linalg_vector_norm", [.tensor(self)]) }

    /// The standard deviation of all elements, with Bessel's correction (`torch.std`).
    public func standardDeviation() throws -> Tensor { try call("aten::std", [.tensor(self)]) }

    /// √mean(x²) of all elements, computed in float32 or wider.
    package func rootMeanSquare() throws -> Double {
        guard count > 0 else { return 0 }
        let wide: DType = dtype == .float64 ? .float64 : .float32
        func norm(_ tensor: Tensor) throws -> Double {
            try call("aten::linalg_vector_norm", [.tensor(tensor)], ["dtype": .dtype(wide)]).item()
        }
        // LibTorch makes a wide copy of what it is given, which may be a mapped weight: part by part.
        let rows = rank > 0 ? max(1, (4 << 20) / max(1, count / size(0))) : 1
        guard rank > 0, rows < size(0) else {
            return try norm(self) / Double(count).squareRoot()
        }
        let squares = try stride(from: 0, to: size(0), by: rows).reduce(0.0) { sum, start in
            let rowsNorm = try norm(slice(start..<min(start + rows, size(0))))
            return sum + rowsNorm * rowsNorm
        }
        return (squares / Double(count)).squareRoot()
    }

    /// Whether both have one shape and type and the same elements (`torch.equal`).
    public func hasSameElements(as other: Tensor) throws -> Bool {
        guard shape == other.shape, dtype == other.dtype else { return false }
        guard
            case .bool(let same)? = try callOperator(
                "aten::equal", [.tensor(self), .tensor(other)]
            ).first
        else { throw Tensor.missingResult(of: "aten::equal") }
        return same
    }

    /// Whether both have one shape and no two elements differ by more than `absolute`.
    public func isClose(to other: Tensor, absolute: Double) throws -> Bool {
        guard shape == other.shape else { return false }
        return try largestDifference(to: other) <= absolute
    }

    /// max |self - other| in float64; NaN if either has one. Shapes must be equal.
    public func largestDifference(to other: Tensor) throws -> Double {
        if count == 0 { return 0 }
        return try (detached().to(.float64) - other.detached().to(.float64)).magnitude().maximum()
            .item()
    }
}
