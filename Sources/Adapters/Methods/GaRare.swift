/// GaRare: GaLore with spaces that are drawn at random.
///
///     as GaLore, P_ij from N(0, 1 / r), from a seed of the weight's name and ⌊t / gap⌋
///
/// P is drawn again in every step instead of being kept, and no singular vectors are computed;
/// E[PᵀP] = 1. Described in "GaRare" (ICLR 2025 submission), of which there is no code: the
/// variance, the gap of 200 steps and GaLore's scale are this package's reading of it, as is the
/// choice of making P's rows orthonormal.
public struct GaRare: WeightTrainingMethod, ProjectedMethod {
    public static let facts = MethodFacts(
        name: "garare", title: "GaRare", equation: "W <- W - lr s back(Adam(G P')), P random",
        parameterFormula: "d k", merges: false, source: "GaRare, ICLR 2025 submission")
    public static let hyperparameters =
        Hyperparameter<GaRare>.projection + [
            Hyperparameter(
                "basis", \.projection.basis,
                .choice.refusing {
                    $0 == .singularVectors ? "svd is GaLore's: use `method` galore" : nil
                }, "random (normal numbers) or orthonormal (the same, made so).")
        ]

    public var projection: GradientProjection

    public init() { self.init(side: .standard) }

    public init(
        rank: Int = 8, scale: Double = 4, gap: Int = 200,
        side: GradientProjection.Side = .standard, isOrthonormal: Bool = false
    ) {
        projection = GradientProjection(
            rank: rank, scale: scale, gap: gap,
            basis: isOrthonormal ? .orthonormalRandom : .random, side: side)
    }

    public let defaultLearningRate = 3e-5
}
