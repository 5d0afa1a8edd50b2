import DualGGUF
import DualJSON
import DualModels
import DualTokenization
import DualTorch
import Foundation

/// The tokenizer that a model with adapters speaks through: that of the first adapter whose folder has
/// one, as in PEFT's `AutoPeftModelForCausalLM`, else the model's own.
public struct TokenizerSource: Equatable, Sendable {
    /// The folder with the tokenizer's files, or a model's GGUF file.
    public let folder: URL
    /// Whether it is an adapter's.
    public let isOfAdapter: Bool
    private let model: URL

    /// - Parameters:
    ///   - model: the model's folder.
    ///   - adapters: the adapters' folders, in their order.
    public init(model: URL, adapters: [URL]) {
        self.model = model
        let own = adapters.first(where: Tokenizer.isIn)
        (folder, isOfAdapter) = (own ?? model, own != nil)
    }

    /// - Throws: ``TokenizerError``.
    public func load() throws -> Tokenizer { try Tokenizer.load(from: files()) }

    /// The tokenizer's files.
    /// - Throws: ``GGUFError``.
    func files() throws -> ModelFiles { try ModelFiles(of: folder) }

    /// What the user should know of an adapter's tokenizer: how it differs from the model's; nil where it
    /// does not.
    /// - Throws: ``TokenizerError``.
    public func note() throws -> String? {
        guard isOfAdapter else { return nil }
        let (files, others) = (try files(), try ModelFiles(of: model))
        if Self.hasSame(files, others) { return nil }
        let own = try load()
        let beginning = "the tokenizer in \(folder.relativePath) is used"
        guard Tokenizer.isIn(others), let base = try? Tokenizer.load(from: others) else {
            return beginning + ", for the model's folder has none"
        }
        var differences: [String] = []
        let added = own.addedSpellings.filter { base.id(for: $0) != own.id(for: $0) }
        if !added.isEmpty {
            let few = added.prefix(4).joined(separator: " ") + (added.count > 4 ? " ..." : "")
            differences.append("it has \(added.count) token(s) beside the model's: \(few)")
        } else if own.vocabularySize != base.vocabularySize {
            differences.append(
                "it has \(own.vocabularySize) tokens, the model's \(base.vocabularySize)")
        }
        let (end, baseEnd) = (spelling(own.endOfTextID, own), spelling(base.endOfTextID, base))
        if end != baseEnd { differences.append("its end token is \(end), not \(baseEnd)") }
        return differences.isEmpty ? nil : beginning + ": " + differences.joined(separator: "; ")
    }

    private func spelling(_ id: Int?, _ tokenizer: Tokenizer) -> String {
        id.flatMap(tokenizer.token) ?? "none"
    }

    /// Whether every file of the tokenizer is the model's, byte for byte.
    private static func hasSame(_ own: ModelFiles, _ others: ModelFiles) -> Bool {
        Tokenizer.fileNames.allSatisfy { name in
            let data = own.has(name) ? try? own.data(name) : nil
            return data == nil || others.has(name) && data == (try? others.data(name))
        }
    }

    /// The tokens that end a text: the model's, and that of an adapter's tokenizer.
    func stopTokens(_ tokens: [Int], _ tokenizer: Tokenizer) -> [Int] {
        guard isOfAdapter, let end = tokenizer.endOfTextID, !tokens.contains(end) else {
            return tokens
        }
        return tokens + [end]
    }
}

extension Tokenizer {
    /// Copies a tokenizer's files, as far as a folder has them.
    static func copyFiles(from source: URL, to folder: URL) throws {
        try ModelFiles(folder: source).copy(fileNames, to: folder)
    }
}
