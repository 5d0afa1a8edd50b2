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
/// nothing of an A whose columns are orthonormal: a saved R is where training goes on.
public struct LoReFT: BlockAdapterMethod {
    public static let facts = MethodFacts(
        name: "loreft", title: "LoReFT", equation: "h + R' (W h + b - R h)",
        parameterFormula: "2 r h + r a place", merges: false,
        source: "Wu et al. 2024, arXiv:2404.03592")
    public static let peftType = "LOREFT"
    public static let stepProducts = 2
    public static let options: [MethodOption] = [
        MethodOption("rank", "r, the dimensions of the subspace. Default 4."),
        MethodOption(
            "positions",
            "Tokens that are edited: f3+l2 for the first three and the last two of a sequence. "
                + "Default f1+l1."),
        MethodOption("layers", "Blocks whose output is edited: 0,2,5-8, or all. Default all."),
        MethodOption(
            "tied-positions",
            "Whether first and last tokens have the same weights: true or false. Default true: "
                + "apart, those of the last train only where the loss sees that token, as it does "
                + "not in text."),
        MethodOption(
            "dropout", "Probability of dropping elements of an edited state. Default 0."),
        MethodOption(
            "activation",
            "Of W h + b: tanh, relu, gelu, silu, identity. Default identity."),
        MethodOption(
            "variant",
            "loreft; direft (without - R h); noreft, nodireft (the same with a free matrix for R); "
                + "consreft (without W h); lobireft (h + R' b). Default loreft."),
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

    public init(rank: Int = 4, positions: EditedPositions = EditedPositions(first: 1, last: 1)) {
        self.rank = rank
        self.positions = positions
    }

    public var settings: MethodOptions {
        MethodOptions(chosen: [
            "rank": rank, "positions": positions,
            "layers": blocks?.map(String.init).joined(separator: ",") ?? "all",
            "tied-positions": isTied, "dropout": dropout, "activation": activation.rawValue,
            "variant": variant.rawValue,
        ])
    }

    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        self.init(rank: try given.rank() ?? 4)
        if let text = given.text("positions") {
            guard let read = EditedPositions(text) else {
                throw given.bad("positions", "'\(text)' is not like f1+l1, f3 or l2")
            }
            positions = read
        }
        if given.text("layers") != "all" {
            blocks = try given.numbers("layers").map { Set($0).sorted() }
        }
        isTied = try given.flag("tied-positions") ?? isTied
        dropout = try given.probability() ?? dropout
        activation = try given.choice("activation") ?? activation
        variant = try given.choice("variant") ?? variant
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

    public func makeAdapter(for block: BlockEnd, using generator: Generator) throws
        -> any BlockAdapter
    {
        guard rank <= block.hiddenSize else {
            throw AdapterError.badOption(
                method: Self.facts.name, option: "rank",
                reason: "\(rank) is more than the model's hidden size, \(block.hiddenSize)")
        }
        return ReFTBlock(
            try editedEnds.map { name, positions in
                (name, positions, try ReFTEdit(self, beside: block.norm.value, using: generator))
            }, dropout: dropout)
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        [
            "r": rank, "positions": positions.description, "layers": blocks as Any? ?? "all",
            "tied_positions": isTied, "dropout": dropout, "act_fn": activation.rawValue,
            "variant": variant.rawValue,
        ]
    }

    public init(_ file: ConfigurationFile) throws {
        self.init(rank: try file.rank("r", default: 4))
        if let text = try file.text("positions") {
            guard let read = EditedPositions(text) else {
                throw file.bad("positions", found: text, expected: "like f1+l1, f3 or l2")
            }
            positions = read
        }
        if file.fields["layers"] as? String != "all" {
            blocks = try file.list("layers").map { Set<Int>($0).sorted() }
        }
        isTied = try file.flag("tied_positions") ?? isTied
        dropout = try file.probability("dropout", default: 0)
        activation = try file.choice("act_fn", default: .identity)
        variant = try file.choice("variant", default: .loreft)
    }
}

/// What an edit is made of; the names are those of pyreft's interventions.
public enum ReFTVariant: String, CaseIterable, Sendable {
    /// h + Rᵀ (W h + b - R h)
    case loreft
    /// h + Rᵀ (W h + b)
    case direft
    /// LoReFT with a free matrix for R.
    case noreft
    /// DiReFT with a free matrix for R.
    case nodireft
    /// h + Rᵀ (b - R h)
    case consreft
    /// h + Rᵀ b
    case lobireft

    /// Whether there is a W h.
    var readsState: Bool { self != .consreft && self != .lobireft }
    /// Whether what R says of the state is taken away.
    var replacesState: Bool { self == .loreft || self == .noreft || self == .consreft }
    var isOrthonormal: Bool { self != .noreft && self != .nodireft }
}

/// Tokens at the two ends of a sequence.
public struct EditedPositions: Equatable, Sendable, CustomStringConvertible {
    public let first: Int
    public let last: Int

    public init(first: Int, last: Int) {
        self.first = first
        self.last = last
    }

    /// The reference's spelling: f3+l2, f3, l2; nil for other texts.
    public init?(_ text: String) {
        var counts: [Character: Int] = [:]
        for word in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard let letter = word.first, "fl".contains(letter), counts[letter] == nil,
                let count = Int(word.dropFirst()), ranks ~= count
            else { return nil }
            counts[letter] = count
        }
        self.init(first: counts["f"] ?? 0, last: counts["l"] ?? 0)
    }

    public var description: String {
        [(first, "f"), (last, "l")].filter { $0.0 > 0 }.map { "\($1)\($0)" }
            .joined(separator: "+")
    }

    /// Which of a sequence's tokens are meant: from either end at most half of them, so that none
    /// is meant twice.
    func of(_ tokens: Range<Int>) -> [Int] {
        let most = tokens.count / 2
        return Array(tokens.prefix(min(first, most))) + Array(tokens.suffix(min(last, most)))
    }
}

/// One edit: R, W and b.
struct ReFTEdit {
    /// A (E, r), whose Q is Rᵀ; of variants with a free matrix, its transpose.
    let basis: Tensor
    /// W (r, E), of variants that have it.
    let weight: Tensor?
    /// b (r)
    let bias: Tensor
    private let variant: ReFTVariant
    private let activation: BottleneckActivation

    /// W, b and a free matrix as PyTorch's `Linear` starts, R uniform, a b without W from 0 to 1.
    init(_ method: LoReFT, beside norm: Tensor, using generator: Generator) throws {
        (variant, activation) = (method.variant, method.activation)
        let (size, rank) = (norm.size(0), method.rank)
        let bound = 1 / Double(size).squareRoot()
        func uniform(_ shape: [Int], from low: Double, to high: Double) throws -> Tensor {
            try .uniform(shape, from: low, to: high, using: generator)
        }
        func placed(_ tensor: Tensor) throws -> Tensor {
            try tensor.to(norm.parameterType).to(device: norm.device)
        }
        let start =
            variant.isOrthonormal
            ? try Tensor.normal([size, rank], using: generator).to(norm.parameterType)
                .orthonormalColumns()
            : try uniform([size, rank], from: -bound, to: bound)
        basis = try placed(start.contiguous())
        weight =
            variant.readsState ? try placed(uniform([rank, size], from: -bound, to: bound)) : nil
        bias = try placed(
            variant.readsState
                ? uniform([rank], from: -bound, to: bound) : uniform([rank], from: 0, to: 1))
    }

    /// The names are pyreft's.
    var parameters: [(name: String, value: Tensor)] {
        [(variant.isOrthonormal ? "rotate_layer" : "proj_layer", basis)]
            + (weight.map { [("weight", $0)] } ?? []) + [("bias", bias)]
    }

    /// Rᵀ (E, r), or what stands for it.
    func directions() throws -> Tensor {
        variant.isOrthonormal ? try basis.orthonormalColumns() : basis
    }

    /// Puts Rᵀ in the place of A, which says the same; nothing happens to an A that is one.
    func settle() throws {
        guard variant.isOrthonormal else { return }
        let rounding = basis.dtype == .float64 ? 1e-12 : 1e-5
        guard try basis.distanceFromOrthonormalColumns() > rounding else { return }
        try basis.copy(from: directions())
    }

    /// States (N, E), edited.
    func callAsFunction(_ states: Tensor) throws -> Tensor {
        let directions = try directions()
        // b alone, or (N, r)
        var change =
            try weight.map { try activation(states.linear($0, bias: bias)) }
            ?? bias.expandedDimension(at: 0)
        if variant.replacesState { change = try change - states.matmul(directions) }
        return try states + change.matmul(directions.transposed())
    }
}

/// The edits at the end of one block.
final class ReFTBlock: BlockAdapter {
    let edits: [(name: String, positions: EditedPositions, edit: ReFTEdit)]
    private let dropout: Double

    init(
        _ edits: [(name: String, positions: EditedPositions, edit: ReFTEdit)], dropout: Double
    ) {
        self.edits = edits
        self.dropout = dropout
    }

    var parameters: [(name: String, value: Tensor)] {
        edits.flatMap { name, _, edit in
            edit.parameters.map { ("\(name).\($0.name)", $0.value) }
        }
    }

    func savedTensors() throws -> [(name: String, value: Tensor)] {
        try withoutGradient { for (_, _, edit) in edits { try edit.settle() } }
        return parameters
    }

    func callAsFunction(_ x: Tensor, at place: TokenPlaces, mode: ForwardMode) throws -> Tensor {
        // What comes behind a prompt is not edited.
        guard !place.isContinuation else { return x }
        let width = x.size(1)
        let rows = try x.reshaped(-1, x.size(2))  // (B T, E)
        var (numbers, edited) = ([Int](), [Tensor]())
        for (_, positions, edit) in edits {
            let found = place.sequences.flatMap { row, tokens in
                positions.of(tokens).map { row * width + $0 }
            }
            guard !found.isEmpty else { continue }
            let states = try rows.gathered(rows: Tensor(found).to(device: x.device))
            // Few states: in the parameters' type.
            let output = try edit(states.to(edit.bias.dtype))
            edited.append(try mode.dropping(output, probability: dropout).to(x.dtype))
            numbers += found
        }
        guard !edited.isEmpty else { return x }
        return try rows.replacing(
            rows: Tensor(numbers).to(device: x.device), with: .joined(edited, along: 0)
        ).reshaped(x.shape)
    }
}
