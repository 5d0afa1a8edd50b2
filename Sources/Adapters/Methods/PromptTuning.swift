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
public struct PromptTuning: VirtualTokenMethod, TextInitialized {
    public static let facts = MethodFacts(
        name: "prompt", title: "Prompt tuning", equation: "X' = [P; X]",
        parameterFormula: "V k a model", merges: false,
        source: "Lester et al. 2021, arXiv:2104.08691")
    public static let peftType = "PROMPT_TUNING"
    public static let keyPrefix = "base_model."
    public static let options: [MethodOption] = [
        .virtualTokens,
        MethodOption(
            "init",
            "How they start: random, sample_vocab (as random words), text. Default random, or text "
                + "where there is one."),
        MethodOption(
            "init-text", "A text whose words they start as, again from its start where it is short."
        ),
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
    private let saved: PromptLearningFields?

    public init(virtualTokens: Int = 20, start: Start = .random, initialText: String? = nil) {
        self.virtualTokens = virtualTokens
        self.start = start
        self.initialText = initialText
        saved = nil
    }

    public var settings: MethodOptions {
        MethodOptions(chosen: [
            "virtual-tokens": virtualTokens, "init": start.rawValue, "init-text": initialText,
        ])
    }

    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        let text = given.text("init-text")
        self.init(
            virtualTokens: try given.virtualTokens(),
            start: try given.choice("init") ?? (text == nil ? .random : .text), initialText: text)
        guard (start == .text) == (text != nil) else {
            throw text == nil
                ? given.bad("init", "'text' needs --init-text")
                : given.bad("init-text", "it goes with --init text")
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
        let words = slot.words.value
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

    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        try slots.promptTable(of: Self.self, virtualTokens, saved)
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        guard let part = parts.first as? VectorPrompt else { return [:] }
        let own: [String: Any] = [
            "prompt_tuning_init": start.peftName,
            "prompt_tuning_init_text": initialText ?? NSNull(),
            "tokenizer_name_or_path": tokenizer ?? NSNull(), "tokenizer_kwargs": NSNull(),
        ]
        return own.merging(part.fields) { own, _ in own }
    }

    public init(_ file: ConfigurationFile) throws {
        let fields = try PromptLearningFields(file)
        (saved, virtualTokens) = (fields, fields.virtualTokens)
        let name = try file.text("prompt_tuning_init") ?? Start.random.peftName
        guard let start = Start.allCases.first(where: { $0.peftName == name }) else {
            throw file.bad(
                "prompt_tuning_init", found: name,
                expected: "one of " + Start.allCases.map(\.peftName).joined(separator: ", "))
        }
        self.start = start
        initialText = try file.text("prompt_tuning_init_text")
        tokenizer = try file.text("tokenizer_name_or_path")
    }
}
