import DualJSON
import Foundation

/// The files of a tokenizer as transformers has them, made of a file's metadata.
struct GGUFTokenizer {
    let file: GGUFFile
    let model: Model

    /// `tokenizer.ggml.model`.
    enum Model: String, CaseIterable {
        /// Pairs of bytes, merged by a list.
        case bytePairs = "gpt2"
        /// Pairs of characters, merged by scores: SentencePiece's.
        case sentencePiece = "llama"
    }

    private static let modelKey = "tokenizer.ggml.model"

    /// - Returns: nil for a file without a tokenizer.
    init?(_ file: GGUFFile) throws {
        self.file = file
        guard let name = try file.text(Self.modelKey) else { return nil }
        guard let model = Model(rawValue: name) else {
            let known = Model.allCases.map(\.rawValue).joined(separator: ", ")
            throw file.bad(
                Self.modelKey, "is \(name.excerpt()), which is not supported; supported: \(known)")
        }
        self.model = model
    }

    /// The file that has the vocabulary.
    var vocabularyName: String {
        model == .bytePairs ? "tokenizer.json" : "tokenizer.model"
    }

    func vocabularyFile() throws -> Data {
        switch model {
        case .bytePairs: try GGUFBytePairs(file).data()
        case .sentencePiece: try GGUFPieces(file).data()
        }
    }

    /// `tokenizer_config.json`.
    func settingsFile() throws -> Data {
        let vocabulary = try GGUFVocabulary(file)
        var settings = JSONLine()
        for role in try vocabulary.roles() { settings.set(role.name, role.token) }
        let additions = try self.additions()
        settings.set("add_bos_token", additions.beginning)
        settings.set("add_eos_token", additions.end)
        settings.set("clean_up_tokenization_spaces", false)
        switch model {
        case .bytePairs: settings.set("tokenizer_class", "PreTrainedTokenizerFast")
        case .sentencePiece:
            settings.set("tokenizer_class", "LlamaTokenizer")
            settings.set("legacy", false)
            settings.set("add_prefix_space", try GGUFPieces.addsSpace(file))
            var list = JSONLine()
            for whole in vocabulary.wholeTokens {
                list.set("\(whole.id)", Self.added(whole.token, isSpecial: whole.isSpecial))
            }
            settings.set("added_tokens_decoder", list)
        }
        return Data(settings.object)
    }

    /// What a text gets at its ends.
    func additions() throws -> (beginning: Bool, end: Bool) {
        let isDefault =
            switch model {
            case .bytePairs: try PreTokenization.of(file).addsBeginning
            case .sentencePiece: true
            }
        return (
            try file.flag("tokenizer.ggml.add_bos_token") ?? isDefault,
            try file.flag("tokenizer.ggml.add_eos_token") ?? false
        )
    }

    /// How a file says of a token that it is found as it is spelled.
    static func added(_ token: String, id: Int? = nil, isSpecial: Bool) -> JSONLine {
        var line = JSONLine()
        if let id { line.set("id", id) }
        line.set("content", token)
        for flag in ["single_word", "lstrip", "rstrip", "normalized"] { line.set(flag, false) }
        line.set("special", isSpecial)
        return line
    }
}
