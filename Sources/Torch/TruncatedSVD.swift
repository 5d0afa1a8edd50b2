/// The leading singular triples of a matrix (d, k): A ≈ U diag(σ) Vᵀ.
///
/// The best approximation of its rank (Eckart & Young 1936). Small matrices are decomposed whole; of
/// large ones a subspace is iterated until the energy that it holds stands still (Halko, Martinsson &
/// Tropp 2011, arXiv:0909.4061, algorithm 4.4).
public struct TruncatedSVD {
    /// (d, r)
    public let left: Tensor
    /// (r), falling.
    public let values: Tensor
    /// (r, k)
    public let right: Tensor

    /// Below this many rows or columns, LAPACK is as fast.
    private static let wholeSize = 512
    private static let mostRounds = 60

    /// - Parameters:
    ///   - matrix: (d, k), of float32 or float64.
    ///   - rank: r, at most the smaller of d and k.
    public init(_ matrix: Tensor, rank: Int) throws {
        let smaller = min(matrix.size(0), matrix.size(1))
        let width = min(2 * rank + 16, smaller)
        self =
            smaller <= Self.wholeSize || 2 * width > smaller
            ? try Self(whole: matrix, rank: rank)
            : try Self(iterating: matrix, rank: rank, width: width)
    }

    private init(left: Tensor, values: Tensor, right: Tensor, rank: Int) throws {
        self.left = try left.slice(0..<rank, along: 1).contiguous()
        self.values = try values.slice(0..<rank).contiguous()
        self.right = try right.slice(0..<rank).contiguous()
    }

    private init(whole matrix: Tensor, rank: Int) throws {
        let (left, values, right) = try matrix.singularValueDecomposition()
        try self.init(left: left, values: values, right: right, rank: rank)
    }

    private init(iterating matrix: Tensor, rank: Int, width: Int) throws {
        let start = try Tensor.normal(
            [matrix.size(1), width], dtype: matrix.dtype, using: Generator(seed: 0)
        ).to(device: matrix.device)
        var basis = try matrix.matmul(start).orthonormalColumns()
        var small: TruncatedSVD
        var energy = 0.0
        var (before, round) = (0.0, 0)
        repeat {
            before = energy
            let across = try matrix.transposed().matmul(basis).orthonormalColumns()
            basis = try matrix.matmul(across).orthonormalColumns()
            small = try Self(whole: basis.transposed().matmul(matrix), rank: rank)
            energy = try small.values.squared().sum().item()
            round += 1
        } while abs(energy - before) > 1e-7 * energy && round < Self.mostRounds
        try self.init(
            left: basis.matmul(small.left), values: small.values, right: small.right, rank: rank)
    }
}
