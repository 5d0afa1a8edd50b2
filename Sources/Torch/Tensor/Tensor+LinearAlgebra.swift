extension Tensor {
    /// U (m, s), the singular values (s) in falling order and Vᵀ (s, n) of a matrix (m, n), s the smaller
    /// of its sizes: self = U diag(values) Vᵀ (`torch.linalg.svd`).
    public func singularValueDecomposition() throws -> (
        left: Tensor, values: Tensor, right: Tensor
    ) {
        let results = try callOperator("aten::linalg_svd", [.tensor(self), false])
        guard results.count == 3, case .tensor(let left) = results[0],
            case .tensor(let values) = results[1], case .tensor(let right) = results[2]
        else { throw Tensor.missingResult(of: "aten::linalg_svd") }
        return (left, values, right)
    }

    /// The inverse of a square matrix (`torch.linalg.inv`).
    public func inverse() throws -> Tensor { try call("aten::linalg_inv", [.tensor(self)]) }

    /// The diagonal of a matrix: a view (`torch.diagonal`).
    public func diagonal() throws -> Tensor { try call("aten::diagonal", [.tensor(self)]) }

    /// Orthonormal columns that span those of a matrix (m, n) with m ≥ n: Q of its thin QR
    /// factorisation (`torch.linalg.qr`), the one for which no number on R's diagonal is negative.
    /// Differentiable. Of a
    /// matrix whose columns are orthonormal, itself; of normal draws, uniform over all such
    /// matrices (Mezzadri 2006, arXiv:math-ph/0609050).
    package func orthonormalColumns() throws -> Tensor {
        let results = try callOperator("aten::linalg_qr", [.tensor(self), .string("reduced")])
        guard results.count == 2, case .tensor(let columns) = results[0],
            case .tensor(let r) = results[1]
        else { throw Tensor.missingResult(of: "aten::linalg_qr") }
        let isNegative = try r.detached().diagonal() < 0
        return try columns * (isNegative.to(dtype) * -2 + 1)
    }

    /// max |selfᵀ self - 1|: how far the columns are from orthonormal.
    package func distanceFromOrthonormalColumns() throws -> Double {
        let one = try call(
            "aten::eye", [.int(size(-1))], ["dtype": .dtype(dtype), "device": .device(device)])
        return try transposed().matmul(self).largestDifference(to: one)
    }

    /// These elements with rows (or other slices) replaced by those of `source`; differentiable
    /// (`torch.index_copy`).
    public func replacing(
        rows indices: Tensor, with source: Tensor, along dimension: Int = 0
    ) throws -> Tensor {
        try call(
            "aten::index_copy",
            [.tensor(self), .int(dimension), .tensor(indices), .tensor(source)])
    }
}
