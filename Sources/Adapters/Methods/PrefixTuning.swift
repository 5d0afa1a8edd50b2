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
public struct PrefixTuning: VirtualTokenMethod, PromptLearningMethod {
    public static let facts = MethodFacts(
        name: "prefix", title: "Prefix-tuning", equation: "K' = [P_K; K], V' = [P_V; V]",
        parameterFormula: "2 V (key heads x head size) a block", merges: false,
        source: "Li and Liang 2021, arXiv:2101.00190; P-tuning v2: arXiv:2110.07602")
    public static let format = AdapterFormat.promptLearning("PREFIX_TUNING")
    public static let hyperparameters: [Hyperparameter<PrefixTuning>] = [
        .virtualTokens,
        Hyperparameter(
            "prefix-projection", \.projects, .flag,
            "Train a perceptron that makes them: true or false.", key: "prefix_projection"),
        .encoderSize(
            \.encoderSize, default: "that of all keys",
            unless: { $0.projects ? nil : "it goes with `prefix-projection` true" }),
        Hyperparameter(
            "init", \.start,
            .choice.inFiles({ $0 == .zero ? $0.rawValue : NSNull() as Any }) {
                try ValueForm<Start>.choice.read($0, $1)
            }, "How they start: random or zero.", key: "init_weights"),
        Hyperparameter(
            "prefix-dropout", \.dropout, .probability,
            "Probability of dropping elements of the keys and values; P-tuning v2 has 0.1."),
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
    var saved: PromptLearningFields?

    public init() { self.init(encoderSize: nil) }

    public init(
        virtualTokens: Int = 20, projects: Bool = false, encoderSize: Int? = nil,
        start: Start = .random, dropout: Double = 0
    ) {
        self.virtualTokens = virtualTokens
        self.projects = projects
        self.encoderSize = encoderSize
        self.start = start
        self.dropout = dropout
    }

    /// Of one block whose keys have the inputs' size, as without grouped queries; what makes a projected
    /// prefix is counted as if there were no other.
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

    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        guard let part = parts.first as? VectorPrefix else { return }
        let size = part.heads * part.headSize
        fields["encoder_hidden_size"] = encoderSize ?? size
        fields.merge(
            PromptLearningFields.fields(
                virtualTokens: virtualTokens, tokenSize: size, layers: part.layers,
                heads: part.heads)
        ) { $1 }
    }
}

extension PrefixSlot {
    /// G D, of a token's keys in one layer.
    fileprivate var tokenSize: Int { heads * headSize }

    /// 2 L G D, of a token's keys and values in all layers.
    fileprivate var vectorSize: Int { 2 * layers * tokenSize }
}
