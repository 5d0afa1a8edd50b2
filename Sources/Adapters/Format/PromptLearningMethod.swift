import DualModules
import DualTorch

/// A method that puts virtual tokens before each sequence.
protocol PromptLearningMethod: VirtualTokenMethod {
    var virtualTokens: Int { get set }
    /// What the file says that the method was read from.
    var saved: PromptLearningFields? { get set }
}

extension PromptLearningMethod {
    public mutating func complete(from file: ConfigurationFile) throws {
        let fields = try PromptLearningFields(file)
        (saved, virtualTokens) = (fields, fields.virtualTokens)
    }

    /// A saved prompt's place, whatever made it.
    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        let slot = try slots.promptSlot(of: Self.self)
        try saved?.check(tokenSize: slot.hiddenSize, layers: slot.layers, heads: slot.heads)
        let draw = VectorDrawing(for: slots, using: try Generator(seed: 0))
        let table = VectorTable(try draw.zeros([virtualTokens, slot.hiddenSize]))
        return AdapterParts([.prompt(slot, VectorPrompt(table, for: slot))])
    }
}

extension Hyperparameter where Method: PromptLearningMethod {
    static var virtualTokens: Hyperparameter {
        Hyperparameter(
            "virtual-tokens", \.virtualTokens,
            .integer().refusing {
                ranks ~= $0
                    ? nil : "\($0) is not from 1 to \(ranks.upperBound)"
            }, "Virtual tokens before each sequence.")
    }

    /// - Parameters:
    ///   - words: the default.
    ///   - obstacle: why there is no encoder.
    static func encoderSize(
        _ path: WritableKeyPath<Method, Int?> & Sendable, default words: String,
        unless obstacle: @escaping @Sendable (Method) -> String? = { _ in nil }
    ) -> Hyperparameter {
        Hyperparameter(
            "encoder-hidden-size", path, .optional(.rank), "Hidden size of the encoder.",
            default: words, unless: obstacle, key: "encoder_hidden_size")
    }
}

extension AdapterFormat {
    /// The one part of a whole model: PEFT gives its tensors no prefix, and the modules beside it this.
    static func promptLearning(_ peftType: String) -> AdapterFormat {
        AdapterFormat(peftType) {
            ($0.keyPrefix, $0.hasTokenIndices) = (sharedPrefix, false)
        }
    }
}
