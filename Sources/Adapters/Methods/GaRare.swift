/// GaRare: GaLore with spaces that are drawn at random.
///
///     as GaLore, P_ij from N(0, 1 / r), from a seed of the weight's name and ⌊t / gap⌋
///
/// P is drawn again in every step instead of being kept, and no singular vectors are computed;
/// E[PᵀP] = 1. Liu, Du, Wang and Yu 2025 (ICLR), "On the Optimization Landscape of Low Rank Adaptation
/// Methods for Large Language Models". The authors' repository (liuxhym/GaRare) has no code: the
/// variance, the gap of 200 steps and GaLore's scale are this package's reading of the paper, as is the
/// choice of making P's rows orthonormal.
public struct GaRare: WeightTrainingMethod, ProjectedMethod {
    public static let facts = MethodFacts(
        name: "garare", title: "GaRare", equation: "W <- W - lr s back(Adam(G P')), P random",
        parameterFormula: "d k", merges: false, source: "Liu et al. 2025, ICLR")
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
