import DualAdapters
import DualTorch
import Foundation

/// Adam in small spaces, into which the gradients of whole matrices are projected.
///
///     g = project(G),  m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²
///     W ← W - η s √(1 - β₂ᵗ) / (1 - β₁ᵗ) back(m / (√v + ε)),  then W ← W - η λ W
///
/// Zhao et al. 2024, arXiv:2403.03507, algorithm 2; the order of its operations and ε = 10⁻⁶ are
/// those of the authors' `GaLoreAdamW`. Of a matrix it keeps the two moments of g, and the
/// projection where that was computed from a gradient: 2 r max(d, k) + r min(d, k) numbers for
/// `std`, where AdamW keeps 2 d k.
public final class ProjectedAdam: Optimizer {
    public let groups: [AdamW.Group]
    private let projection: GradientProjection
    private let seed: UInt64
    private let matrices: [[ProjectedMatrix]]
    private let betas: (Double, Double)
    private let epsilon: Double
    /// The authors' own.
    public static let standardEpsilon = 1e-6

    /// - Parameters:
    ///   - groups: of matrices with their names.
    ///   - seed: of the run, for projections that are drawn.
    public init(
        _ groups: [AdamW.Group], _ projection: GradientProjection, seed: UInt64,
        betas: (Double, Double) = (0.9, 0.999), epsilon: Double = standardEpsilon
    ) throws {
        self.groups = groups
        self.projection = projection
        self.seed = seed
        self.betas = betas
        self.epsilon = epsilon
        matrices = try groups.map { group in
            try zip(group.names, group.tensors).map {
                try ProjectedMatrix(name: $0, weight: $1, projection)
            }
        }
    }

    public func step(factor: Double) throws {
        try withoutGradient {
            for (group, matrices) in zip(groups, matrices) {
                for matrix in matrices {
                    guard let gradient = try matrix.weight.gradient() else { continue }
                    try update(
                        matrix, by: gradient, learningRate: group.learningRate * factor,
                        weightDecay: group.weightDecay)
                }
            }
        }
    }

    private func update(
        _ matrix: ProjectedMatrix, by gradient: Tensor, learningRate: Double, weightDecay: Double
    ) throws {
        let (first, second) = betas
        let done = Int(try matrix.stepCount.item())
        let space = try space(of: matrix, gradient, step: done)
        let small = try space.project(gradient.to(matrix.firstMoment.dtype))
        try matrix.firstMoment.multiply(by: first).add(small, times: 1 - first)
        try matrix.secondMoment.multiply(by: second).add(small.squared(), times: 1 - second)
        try matrix.stepCount.add(Tensor.scalar(1))
        let (meanShare, squareShare) = (
            1 - pow(first, Double(done + 1)), 1 - pow(second, Double(done + 1))
        )
        let direction =
            try matrix.firstMoment / (matrix.secondMoment.squareRoot() + epsilon)
        let size = learningRate * squareShare.squareRoot() / meanShare
        try matrix.weight.add(
            space.restore(direction).to(matrix.weight.dtype), times: -size * projection.scale)
        if weightDecay > 0 { try matrix.weight.multiply(by: 1 - learningRate * weightDecay) }
    }

    /// The space of a step: the one that is kept, or the one that the seed gives.
    private func space(
        of matrix: ProjectedMatrix, _ gradient: Tensor, step: Int
    ) throws -> ProjectedSpace {
        switch projection.basis {
        case .singularVectors:
            if step % projection.gap == 0 {
                try matrix.space.copy(
                    from: .ofSingularVectors(gradient.to(matrix.firstMoment.dtype), matrix.shape))
            }
            return matrix.space
        case .random, .orthonormalRandom:
            let window = step / projection.gap
            return try .drawn(
                for: matrix.shape, isOrthonormal: projection.basis == .orthonormalRandom,
                like: matrix.firstMoment,
                using: Generator(seed: Self.seed(seed, matrix.name, window)))
        }
    }

    /// A number that names a run, a matrix and a window of steps.
    static func seed(_ run: UInt64, _ name: String, _ window: Int) -> UInt64 {
        // FNV-1a, whose low bits are then mixed.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(run)/\(name)/\(window)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        var random = SplitMix64(seed: hash)
        return random.next()
    }

    public func clearGradients() throws {
        for tensor in groups.flatMap(\.tensors) { try tensor.setGradient(nil) }
    }

    public var state: [String: Tensor] {
        matrices.joined().reduce(into: [:]) { state, matrix in
            state.merge(matrix.state) { first, _ in first }
        }
    }
}

/// A matrix and what is remembered of it.
private struct ProjectedMatrix {
    let name: String
    let weight: Tensor
    let shape: ProjectionShape
    /// Of the projected gradient.
    let firstMoment, secondMoment: Tensor
    /// Steps done.
    let stepCount: Tensor
    /// Empty where the projection is drawn anew.
    let space: ProjectedSpace

    init(name: String, weight: Tensor, _ projection: GradientProjection) throws {
        self.name = name
        self.weight = weight
        shape = ProjectionShape(weight.shape, projection)
        let dtype: DType = weight.dtype == .float64 ? .float64 : .float32
        firstMoment = try .zeros(shape.projected, dtype: dtype, device: weight.device)
        secondMoment = try .zeros(shape.projected, dtype: dtype, device: weight.device)
        stepCount = try .zeros([])
        space =
            projection.basis == .singularVectors
            ? try .zeros(for: shape, like: firstMoment) : ProjectedSpace(left: nil, right: nil)
    }

    var state: [String: Tensor] {
        var state = [
            "\(name).step": stepCount, "\(name).exp_avg": firstMoment,
            "\(name).exp_avg_sq": secondMoment,
        ]
        state["\(name).projection.left"] = space.left
        state["\(name).projection.right"] = space.right
        return state
    }
}
