import DualModules
import DualTorch

/// LoReFT: an edit of hidden states, at some tokens and in a subspace of few dimensions.
///
///     h ← h + Rᵀ (W h + b - R h),  R (r, E) with R Rᵀ = 1, W (r, E), b (r)
///
/// Wu et al. 2024, "ReFT: Representation Finetuning for Language Models", arXiv:2404.03592, eq. 2;
/// the variants are eq. 3 and those of the reference, pyreft. As there, the states are those that a
/// block hands on, the tokens are the first and the last of a prompt, at most half of it from
/// either end, no token that is generated is edited, dropout drops elements of the edited state as
/// a whole, and a saved R is Rᵀ (E, r).
///
/// R is trained as a free matrix A (E, r) with Rᵀ = Q of A's QR factorisation, which changes
/// nothing of an A whose columns are orthonormal: a saved R is where training goes on. (pyreft has
/// PyTorch's parametrisation in its place, whose steps from one R depend on columns that are drawn
/// beside it: no two runs of pyreft from a saved R are alike. The edits and their gradients are.)
public struct LoReFT: BlockAdapterMethod {
    public static let facts = MethodFacts(
        name: "loreft", title: "LoReFT", equation: "h + R' (W h + b - R h)",
        parameterFormula: "2 r h + r a place", merges: false,
        source: "Wu et al. 2024, arXiv:2404.03592")
    // PEFT has no such type: the fields' names are this package's.
    public static let format = AdapterFormat("LOREFT")
    public static let hyperparameters: [Hyperparameter<LoReFT>] = [
        .rank(\.rank, "r, the dimensions of the subspace."),
        Hyperparameter(
            "positions", \.positions, .editedPositions,
            "Tokens that are edited: f3+l2 for the first three and the last two of a sequence.",
            key: "positions"),
        Hyperparameter(
            "layers", \.blocks, .optional(.numbers, none: "all", inFiles: "all"),
            "Blocks whose output is edited: 0,2,5-8, or all.", key: "layers"),
        Hyperparameter(
            "tied-positions", \.isTied, .flag,
            "Whether first and last tokens have the same weights: true or false; apart, those of "
                + "the last train only where the loss sees that token, as it does not in text.",
            key: "tied_positions"),
        Hyperparameter(
            "dropout", \.dropout, .probability,
            "Probability of dropping elements of an edited state.", key: "dropout"),
        Hyperparameter(
            "activation", \.activation, .choice,
            "Of W h + b: tanh, relu, gelu, silu, identity.", key: "act_fn"),
        Hyperparameter(
            "variant", \.variant, .choice,
            "loreft; direft (without - R h); noreft, nodireft (the same with a free matrix for R); "
                + "consreft (without W h); lobireft (h + R' b).", key: "variant"),
    ]

    public var rank: Int
    public var positions: EditedPositions
    /// Numbers of the blocks; nil for all.
    public var blocks: [Int]?
    /// Whether first and last tokens share an edit.
    public var isTied = true
    public var dropout = 0.0
    public var activation = BottleneckActivation.identity
    public var variant = ReFTVariant.loreft

    public init() { self.init(positions: .ends) }

    public init(rank: Int = 4, positions: EditedPositions = .ends) {
        self.rank = rank
        self.positions = positions
    }

    public mutating func resolve(_ given: GivenOptions) throws {
        guard variant.readsState || activation == .identity else {
            throw given.bad("activation", "\(variant.rawValue) has nothing that it acts on")
        }
    }

    /// Of one block of that hidden size.
    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        let one = rank * inputSize * (variant.readsState ? 2 : 1) + rank
        return one * editedEnds.count
    }

    public let defaultLearningRate = 5e-3

    /// The tokens that share an edit, and the name of the edit.
    private var editedEnds: [(name: String, positions: EditedPositions)] {
        guard !isTied, positions.first > 0, positions.last > 0 else { return [("reft", positions)] }
        return [
            ("reft_first", EditedPositions(first: positions.first, last: 0)),
            ("reft_last", EditedPositions(first: 0, last: positions.last)),
        ]
    }

    public func makeAdapter(
        for block: BlockEnd, using generator: Generator
    ) throws -> any BlockAdapter {
        guard rank <= block.hiddenSize else {
            throw AdapterError.badOption(
                method: Self.facts.name, option: "rank",
                reason: "\(rank) is more than the model's hidden size, \(block.hiddenSize)")
        }
        return ReFTBlock(
            try editedEnds.map { name, positions in
                (name, positions, try ReFTEdit(self, beside: block.norm.stored, using: generator))
            }, dropout: dropout)
    }
}
