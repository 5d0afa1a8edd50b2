import DualModels
import DualTokenization
import DualTorch
import Foundation

/// The tokenizer that a model with adapters speaks through: that of the first adapter whose folder has
/// one, as in PEFT's `AutoPeftModelForCausalLM`, else the model's own.
public struct TokenizerSource: Equatable, Sendable {
    /// The folder with the tokenizer's files.
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
    public func load() throws -> Tokenizer { try Tokenizer.load(from: folder) }

    /// What the user should know of an adapter's tokenizer: how it differs from the model's; nil where it
    /// does not.
    /// - Throws: ``TokenizerError``.
    public func note() throws -> String? {
        guard isOfAdapter, !hasFilesOfModel else { return nil }
        let own = try load()
        let beginning = "the tokenizer in \(folder.relativePath) is used"
        guard Tokenizer.isIn(model), let base = try? Tokenizer.load(from: model) else {
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
    private var hasFilesOfModel: Bool {
        Tokenizer.fileNames.allSatisfy { name in
            let own = try? Data(contentsOf: folder.appendingPathComponent(name))
            return own == nil || own == (try? Data(contentsOf: model.appendingPathComponent(name)))
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
        for name in fileNames {
            let file = source.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: file.path) else { continue }
            try AtomicFile.write(
                try Data(contentsOf: file), to: folder.appendingPathComponent(name))
        }
    }
}
