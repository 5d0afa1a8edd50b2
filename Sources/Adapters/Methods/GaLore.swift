/// GaLore: full fine-tuning whose optimizer works in small spaces.
///
///     g = G Pᵀ (d ≥ k) or Pᵀ G (d < k),  W ← W - η s back(Adam(g)),  back(n) = n P or P n
///
/// P holds the r leading singular vectors of a recent gradient of that weight, taken anew every
/// `update-proj-gap` steps; Adam's moments stay as they are when it changes. The target layers'
/// weights (all linear ones, unless targets are named) are moved so, everything else by AdamW. Zhao
/// et al. 2024, arXiv:2403.03507, algorithm 2. Reference: the authors' `galore_torch`, whose
/// `GaLoreAdamW` this is, with the rank, scale and gap of its GLUE runs. d and k are outputs and
/// inputs however a checkpoint keeps the weight. Moments are kept in float32: there are none of 8
/// bits; and gradients as a whole, until the step: there is no update within the backward.
public struct GaLore: WeightTrainingMethod, ProjectedMethod {
    public static let facts = MethodFacts(
        name: "galore", title: "GaLore", equation: "W <- W - lr s back(Adam(G P'))",
        parameterFormula: "d k", merges: false, source: "Zhao et al. 2024, arXiv:2403.03507")
    public static let hyperparameters = Hyperparameter<GaLore>.projection

    public var projection: GradientProjection

    public init() { self.init(side: .standard) }

    public init(
        rank: Int = 8, scale: Double = 4, gap: Int = 500,
        side: GradientProjection.Side = .standard
    ) {
        projection = GradientProjection(
            rank: rank, scale: scale, gap: gap, basis: .singularVectors, side: side)
    }

    public let defaultLearningRate = 1e-4
}
