extension Tensor {
    /// U (m, q), σ (q) and Vᵀ (q, n) with `self` = U diag(σ) Vᵀ, q the smaller of m and n and σ
    /// falling.
    public func singularValueDecomposition() throws -> (
        left: Tensor, values: Tensor, right: Tensor
    ) {
        let parts = try callOperator("aten::linalg_svd", [.tensor(self), .bool(false)])
            .compactMap(\.tensor)
        guard parts.count == 3 else { throw Tensor.missingResult(of: "aten::linalg_svd") }
        return (parts[0], parts[1], parts[2])
    }

    /// The inverse of a square matrix.
    public func inverse() throws -> Tensor { try call("aten::linalg_inv", [.tensor(self)]) }

    /// The diagonal of a matrix: a view.
    public func diagonal() throws -> Tensor { try call("aten::diagonal", [.tensor(self)]) }
}
