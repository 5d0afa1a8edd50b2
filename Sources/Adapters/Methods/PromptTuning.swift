import DualModules
import DualTorch
import Foundation

/// Prompt tuning: embeddings of virtual tokens, which stand before those of the words.
///
///     X' = [P; X],  P (V, k)
///
/// Lester et al. 2021, arXiv:2104.08691, section 2. Reference: PEFT's `PromptEmbedding`, whose starts and
/// file these are; PEFT's loss of a language model has a sequence's first word predicted by the prompt,
/// which here no method predicts.
public struct PromptTuning: VirtualTokenMethod, PromptLearningMethod, TextInitialized {
    public static let facts = MethodFacts(
        name: "prompt", title: "Prompt tuning", equation: "X' = [P; X]",
        parameterFormula: "V k a model", merges: false,
        source: "Lester et al. 2021, arXiv:2104.08691")
    public static let format = AdapterFormat.promptLearning("PROMPT_TUNING")
    public static let hyperparameters: [Hyperparameter<PromptTuning>] = [
        .virtualTokens,
        Hyperparameter(
            "init", \.start, .choice.namedInFiles(\.peftName),
            "How they start: random, sample_vocab (as random words), text.",
            default: "random, or text where there is one",
            standard: { $0.initialText == nil ? .random : .text },
            key: "prompt_tuning_init", missing: .random),
        Hyperparameter(
            "init-text", \.initialText, .optional(.text),
            "A text whose words they start as, again from its start where it is short.",
            unless: { $0.start == .text ? nil : "it goes with `init` text" },
            key: "prompt_tuning_init_text"),
        Hyperparameter(field: "tokenizer_name_or_path", \.tokenizer, .optional(.text)),
    ]

    /// How the prompt starts.
    public enum Start: String, CaseIterable, Sendable {
        case random
        case words = "sample_vocab"
        case text

        /// PEFT's `prompt_tuning_init`.
        fileprivate var peftName: String { rawValue.uppercased() }
    }

    public var virtualTokens: Int
    public var start: Start
    public var initialText: String?
    /// The text's.
    public var initialTokens: [Int] = []
    private var tokenizer: String?
    /// What the file says that it was read from.
    var saved: PromptLearningFields?

    public init() { self.init(initialText: nil) }

    public init(virtualTokens: Int = 20, start: Start = .random, initialText: String? = nil) {
        self.virtualTokens = virtualTokens
        self.start = start
        self.initialText = initialText
    }

    public mutating func resolve(_ given: GivenOptions) throws {
        guard start != .text || initialText != nil else {
            throw given.bad("init", "'text' needs `init-text`")
        }
    }

    public mutating func start(from tokens: [Int], tokenizer: String) {
        initialTokens = tokens
        self.tokenizer = tokenizer
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        virtualTokens * inputSize
    }

    public let defaultLearningRate = 1e-2

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        let slot = try slots.promptSlot(of: Self.self)
        let draw = VectorDrawing(for: slots, using: generator)
        let table = VectorTable(try vectors(for: slot, draw))
        return AdapterParts([.prompt(slot, VectorPrompt(table, for: slot))])
    }

    private func vectors(for slot: PromptSlot, _ draw: VectorDrawing) throws -> Tensor {
        let words = slot.words.stored
        switch start {
        case .random: return try draw.normal([virtualTokens, slot.hiddenSize])
        case .words:
            return try draw.rows(draw.integers(virtualTokens, below: words.size(0)), of: words)
        case .text:
            try check(initialTokens, vocabulary: words.size(0))
            let ids = (0..<virtualTokens).map { initialTokens[$0 % initialTokens.count] }
            return try draw.rows(ids, of: words)
        }
    }

    private func check(_ tokens: [Int], vocabulary: Int) throws {
        func bad(_ reason: String) -> AdapterError {
            .badOption(method: Self.facts.name, option: "init-text", reason: reason)
        }
        guard !tokens.isEmpty else { throw bad("it has no tokens to start from") }
        if let strange = tokens.first(where: { !(0..<vocabulary ~= $0) }) {
            throw bad("its token \(strange) is not in the model's vocabulary of \(vocabulary)")
        }
    }

    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        guard let part = parts.first as? VectorPrompt else { return }
        fields["tokenizer_kwargs"] = NSNull()
        fields.merge(part.fields) { $1 }
    }
}
