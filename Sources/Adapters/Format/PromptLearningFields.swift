import DualModules
import DualTorch

/// What `adapter_config.json` says of virtual tokens and of the model that they are for.
///
/// Reference: PEFT's `PromptLearningConfig`.
struct PromptLearningFields: Equatable, Sendable {
    let virtualTokens: Int
    private let file: String
    /// By field; none of a field that is missing or null, which PEFT takes from the model.
    private let sizes: [String: Int]

    private static let ofTheModel = ["token_dim", "num_layers", "num_attention_heads"]

    /// - Throws: ``ConfigurationError``, ``AdapterError``.
    init(_ configuration: ConfigurationFile) throws {
        file = configuration.url.path
        guard let count = try configuration.rank("num_virtual_tokens") else {
            throw configuration.bad(
                "num_virtual_tokens", found: "missing", expected: "their number")
        }
        virtualTokens = count
        var sizes: [String: Int] = [:]
        for key in Self.ofTheModel { sizes[key] = try configuration.integer(key) }
        self.sizes = sizes
        let submodules = try configuration.integer("num_transformer_submodules") ?? 1
        guard submodules == 1 else {
            throw AdapterError.unsupported(
                file: file, key: "num_transformer_submodules", found: "\(submodules)",
                reason: "which is for models of an encoder and a decoder")
        }
    }

    /// Refuses a file that is for another model.
    func check(tokenSize: Int, layers: Int, heads: Int) throws {
        for (key, own) in zip(Self.ofTheModel, [tokenSize, layers, heads]) {
            guard let said = sizes[key], said != own else { continue }
            throw AdapterError.unsupported(
                file: file, key: key, found: "\(said)", reason: "but this model needs \(own)")
        }
    }

    /// The fields to write.
    static func fields(
        virtualTokens: Int, tokenSize: Int, layers: Int, heads: Int
    ) -> [String: Any] {
        [
            "num_virtual_tokens": virtualTokens, "token_dim": tokenSize, "num_layers": layers,
            "num_attention_heads": heads, "num_transformer_submodules": 1,
        ]
    }
}

extension AdapterSlots {
    func prefixSlot(of method: any AdapterMethod.Type) throws -> PrefixSlot {
        guard let prefix else { throw AdapterError.noPlace(method: method.facts.name) }
        return prefix
    }

    func promptSlot(of method: any AdapterMethod.Type) throws -> PromptSlot {
        guard let prompt else { throw AdapterError.noPlace(method: method.facts.name) }
        return prompt
    }
}

extension VectorPrompt {
    /// The fields of a prompt that every method has.
    var fields: [String: Any] {
        PromptLearningFields.fields(
            virtualTokens: count, tokenSize: hiddenSize, layers: layers, heads: heads)
    }
}
