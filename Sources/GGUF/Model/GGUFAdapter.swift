/// What a GGUF file says of itself that has a LoRA in it, and no model: what `llama.cpp --lora` takes.
public struct GGUFAdapter {
    public let file: GGUFFile
    /// `general.architecture` of the model that it is for.
    public let architecture: String
    /// `adapter.type`.
    public let type: String
    /// α; nil where the file does not say it: then B A is added as it is.
    public let alpha: Double?

    static let fileTypeKey = "general.type"
    static let fileType = "adapter"
    static let typeKey = "adapter.type"
    static let type = "lora"
    static let alphaKey = "adapter.lora.alpha"
    static let embedding = "token_embd.weight"
    static let downSuffix = ".lora_a"
    static let upSuffix = ".lora_b"

    /// Nil for a file that does not call itself an adapter.
    /// - Throws: ``GGUFError``.
    public init?(_ file: GGUFFile) throws {
        guard try file.text(Self.fileTypeKey) == Self.fileType else { return nil }
        self.file = file
        architecture = try file.text(GGUFArchitecture.key) ?? "?"
        type = try file.text(Self.typeKey) ?? "?"
        alpha = try file.number(Self.alphaKey)
    }

    /// The ranks of its layers, each once, in rising order.
    public var ranks: [Int] {
        let rows = file.tensors.filter { $0.name.hasSuffix(Self.upSuffix) }
        return Set(rows.compactMap(\.shape.last)).sorted()
    }

    /// - Throws: ``GGUFError/badFile(file:reason:)`` for a file that has an adapter where a model is needed.
    static func refuse(_ file: GGUFFile) throws {
        guard let adapter = try GGUFAdapter(file) else { return }
        throw GGUFError.badKey(
            fileTypeKey, file: file.url.path,
            reason:
                "is 'adapter': it has a \(adapter.type) adapter for llama.cpp in it "
                + "and no model")
    }
}
