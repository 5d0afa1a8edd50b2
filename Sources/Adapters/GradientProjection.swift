/// How the gradient of a weight is brought into a small space, in which Adam keeps its moments.
public struct GradientProjection: Equatable, Sendable {
    /// Where the space's basis comes from.
    public enum Basis: String, CaseIterable, Sendable {
        /// The leading singular vectors of the gradient. Zhao et al. 2024, arXiv:2403.03507.
        case singularVectors = "svd"
        /// Drawn anew from a seed, and so never kept.
        case random
        /// Drawn anew, then made orthonormal.
        case orthonormalRandom = "orthonormal"
    }

    public var rank: Int
    /// What the update is multiplied by on its way back.
    public var scale: Double
    /// Steps between two bases.
    public var gap: Int
    public var basis: Basis
    /// Which side of the weight is projected: `std`, `reverse_std`, `left`, `right`, `full`.
    public var side: Side

    public enum Side: String, CaseIterable, Sendable {
        case standard = "std"
        case reversed = "reverse_std"
        case left, right, full
    }

    public init(
        rank: Int, scale: Double, gap: Int, basis: Basis, side: Side = .standard
    ) {
        self.rank = rank
        self.scale = scale
        self.gap = gap
        self.basis = basis
        self.side = side
    }
}
