import DualModules
import DualTorch
import Foundation

/// Prefix-tuning: keys and values of virtual tokens, which every layer sees before those of the text.
///
///     K_l' = [P_K,l; K_l],  V_l' = [P_V,l; V_l]
///
/// Li and Liang 2021, arXiv:2101.00190, eq. 3. With `prefix-projection` a two-layer perceptron makes the
/// prefix, P = W₂ tanh(W₁ E + b₁) + b₂ (their section 4.3), and is dropped when it is saved. Without, on
/// encoders with a head, and with a `prefix-dropout` of 0.1, it is P-tuning v2: Liu et al. 2021,
/// arXiv:2110.07602, whose code drops elements of the keys and values. Reference: PEFT's
/// `PrefixEncoder`, whose start (N(0, 1)), names and file these are.
public struct PrefixTuning: VirtualTokenMethod {
    public static let facts = MethodFacts(
        name: "prefix", title: "Prefix-tuning", equation: "K' = [P_K; K], V' = [P_V; V]",
        parameterFormula: "2 V k a block", merges: false,
        source: "Li and Liang 2021, arXiv:2101.00190; P-tuning v2: arXiv:2110.07602")
    public static let peftType = "PREFIX_TUNING"
    public static let keyPrefix = "base_model."
    public static let options: [MethodOption] = [
        .virtualTokens,
        MethodOption(
            "prefix-projection", "Train a perceptron that makes them: true or false. Default false."
        ),
        .encoderSize("that of all keys"),
        MethodOption("init", "How they start: random or zero. Default random."),
        MethodOption(
            "prefix-dropout",
            "Probability of dropping elements of the keys and values; P-tuning v2 has 0.1. Default 0."
        ),
    ]

    /// How the prefix starts.
    public enum Start: String, CaseIterable, Sendable { case random, zero }

    public var virtualTokens: Int
    public var projects: Bool
    /// Of the perceptron; nil for the size of all keys of a layer.
    public var encoderSize: Int?
    public var start: Start
    /// Probability of dropping elements of the keys and values in training; PEFT's files have no word for it.
    public var dropout: Double
    /// What the file says that it was read from.
    private let saved: PromptLearningFields?

    public init(
        virtualTokens: Int = 20, projects: Bool = false, encoderSize: Int? = nil,
        start: Start = .random, dropout: Double = 0
    ) {
        self.virtualTokens = virtualTokens
        self.projects = projects
        self.encoderSize = encoderSize
        self.start = start
        self.dropout = dropout
        saved = nil
    }

    public var settings: MethodOptions {
        MethodOptions(chosen: [
            "virtual-tokens": virtualTokens, "prefix-projection": projects,
            "encoder-hidden-size": encoderSize, "init": start.rawValue,
            "prefix-dropout": dropout,
        ])
    }

    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        self.init(
            virtualTokens: try given.virtualTokens(),
            projects: try given.flag("prefix-projection") ?? false,
            encoderSize: try given.encoderSize(), start: try given.choice("init") ?? .random,
            dropout: try given.probability("prefix-dropout") ?? 0)
        guard projects || encoderSize == nil else {
            throw given.bad("encoder-hidden-size", "it goes with --prefix-projection true")
        }
    }

    /// Of one block; what makes a projected prefix is counted as if there were no other.
    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        guard projects else { return 2 * virtualTokens * inputSize }
        let inner = encoderSize ?? inputSize
        return virtualTokens * inputSize + (inputSize + 1) * inner + (inner + 1) * 2 * inputSize
    }

    public let defaultLearningRate = 3e-2

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        let slot = try slots.prefixSlot(of: Self.self)
        let draw = VectorDrawing(for: slots, using: generator)
        let prefix = VectorPrefix(try vectors(for: slot, draw), for: slot, dropout: dropout)
        return AdapterParts([.prefix(slot, prefix)])
    }

    private func vectors(
        for slot: PrefixSlot, _ draw: VectorDrawing
    ) throws -> any VirtualTokenVectors {
        let (size, whole) = (slot.tokenSize, slot.vectorSize)
        guard projects else {
            return VectorTable(
                start == .zero
                    ? try draw.zeros([virtualTokens, whole])
                    : try draw.normal([virtualTokens, whole]))
        }
        return EncodedVectors(
            embedding: try draw.normal([virtualTokens, size]),
            perceptron: try Perceptron(
                "transform", sizes: [size, encoderSize ?? size, whole], isLastZero: start == .zero,
                drawing: draw, activation: { try $0.tanh() }))
    }

    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        let slot = try slots.prefixSlot(of: Self.self)
        try saved?.check(tokenSize: slot.tokenSize, layers: slot.layers, heads: slot.heads)
        let draw = VectorDrawing(for: slots, using: try Generator(seed: 0))
        let table = VectorTable(try draw.zeros([virtualTokens, slot.vectorSize]))
        return AdapterParts([.prefix(slot, VectorPrefix(table, for: slot))])
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        guard let part = parts.first as? VectorPrefix else { return [:] }
        let size = part.heads * part.headSize
        let own: [String: Any] = [
            "prefix_projection": projects, "encoder_hidden_size": encoderSize ?? size,
            "init_weights": start == .zero ? "zero" : NSNull(),
        ]
        return own.merging(
            PromptLearningFields.fields(
                virtualTokens: virtualTokens, tokenSize: size, layers: part.layers,
                heads: part.heads)
        ) { own, _ in own }
    }

    public init(_ file: ConfigurationFile) throws {
        let fields = try PromptLearningFields(file)
        (saved, virtualTokens) = (fields, fields.virtualTokens)
        projects = try file.flag("prefix_projection") ?? false
        encoderSize = try file.rank("encoder_hidden_size")
        start = try file.choice("init_weights", default: .random)
        dropout = 0
    }
}

extension PrefixSlot {
    /// G D, of a token's keys in one layer.
    fileprivate var tokenSize: Int { heads * headSize }

    /// 2 L G D, of a token's keys and values in all layers.
    fileprivate var vectorSize: Int { 2 * layers * tokenSize }
}
