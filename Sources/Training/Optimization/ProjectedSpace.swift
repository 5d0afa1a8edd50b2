import DualAdapters
import DualTorch

/// Which sides of a matrix (d, k) are projected, and to how many dimensions.
struct ProjectionShape {
    let outputs, inputs: Int
    /// At most the smaller size of the matrix.
    let rank: Int
    let isLeft, isRight: Bool

    init(_ shape: [Int], _ projection: GradientProjection) {
        (outputs, inputs) = (shape[0], shape[1])
        rank = min(projection.rank, outputs, inputs)
        let isTall = outputs >= inputs
        switch projection.side {
        case .standard: (isLeft, isRight) = (!isTall, isTall)
        case .reversed: (isLeft, isRight) = (isTall, !isTall)
        case .left: (isLeft, isRight) = (true, false)
        case .right: (isLeft, isRight) = (false, true)
        case .full: (isLeft, isRight) = (true, true)
        }
    }

    /// The shape of a projected matrix.
    var projected: [Int] { [isLeft ? rank : outputs, isRight ? rank : inputs] }
}

/// A space of few dimensions for matrices (d, k), by what spans it on either side; a side without
/// anything is left as it is.
struct ProjectedSpace {
    /// (d, r)
    let left: Tensor?
    /// (r, k)
    let right: Tensor?

    /// leftᵀ G rightᵀ
    func project(_ matrix: Tensor) throws -> Tensor {
        let half = try left.map { try $0.transposed().matmul(matrix) } ?? matrix
        return try right.map { try half.matmul($0.transposed()) } ?? half
    }

    /// left g right: (d, k) again.
    func restore(_ projected: Tensor) throws -> Tensor {
        let half = try left.map { try $0.matmul(projected) } ?? projected
        return try right.map { try half.matmul($0) } ?? half
    }

    func copy(from other: ProjectedSpace) throws {
        if let left, let new = other.left { try left.copy(from: new) }
        if let right, let new = other.right { try right.copy(from: new) }
    }

    static func zeros(for shape: ProjectionShape, like moment: Tensor) throws -> ProjectedSpace {
        func zeros(_ sizes: [Int]) throws -> Tensor {
            try .zeros(sizes, dtype: moment.dtype, device: moment.device)
        }
        return ProjectedSpace(
            left: shape.isLeft ? try zeros([shape.outputs, shape.rank]) : nil,
            right: shape.isRight ? try zeros([shape.rank, shape.inputs]) : nil)
    }

    /// That of the leading singular vectors of a gradient.
    static func ofSingularVectors(
        _ gradient: Tensor, _ shape: ProjectionShape
    ) throws -> ProjectedSpace {
        let vectors = try gradient.singularValueDecomposition()
        return ProjectedSpace(
            left: shape.isLeft ? try vectors.left.slice(0..<shape.rank, along: 1) : nil,
            right: shape.isRight ? try vectors.right.slice(0..<shape.rank) : nil)
    }

    /// Of normal draws of variance 1 / r, or of orthonormal vectors that are uniform among such.
    static func drawn(
        for shape: ProjectionShape, isOrthonormal: Bool, like moment: Tensor,
        using generator: Generator
    ) throws -> ProjectedSpace {
        /// (n, r)
        func columns(_ size: Int) throws -> Tensor {
            let draws = try Tensor.normal(
                [size, shape.rank], deviation: 1 / Double(shape.rank).squareRoot(),
                dtype: moment.dtype, using: generator
            ).to(device: moment.device)
            return isOrthonormal ? try draws.orthonormalColumns() : draws
        }
        return ProjectedSpace(
            left: shape.isLeft ? try columns(shape.outputs) : nil,
            right: shape.isRight ? try columns(shape.inputs).transposed() : nil)
    }
}
