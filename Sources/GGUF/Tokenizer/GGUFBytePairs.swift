import DualJSON
import Foundation

/// `tokenizer.json` of a vocabulary of byte pairs.
struct GGUFBytePairs {
    private let file: GGUFFile
    private let vocabulary: GGUFVocabulary
    private let preTokenization: PreTokenization

    init(_ file: GGUFFile) throws {
        self.file = file
        vocabulary = try GGUFVocabulary(file)
        preTokenization = try .of(file)
    }

    func data() throws -> Data {
        var fields = JSONLine()
        fields.set("version", "1.0")
        fields.setNull("truncation")
        fields.setNull("padding")
        fields.set(
            "added_tokens",
            vocabulary.wholeTokens.map {
                GGUFTokenizer.added($0.token, id: $0.id, isSpecial: $0.isSpecial)
            })
        if preTokenization.composes {
            var normalizer = JSONLine()
            normalizer.set("type", "NFC")
            fields.set("normalizer", normalizer)
        } else {
            fields.setNull("normalizer")
        }
        fields.set("pre_tokenizer", preTokenization.field)
        if let processor = try postProcessor() { fields.set("post_processor", processor) }
        fields.set("decoder", PreTokenization.byteLevel(usesPattern: true))
        fields.set("model", try model())
        return Data(fields.object)
    }

    private func model() throws -> JSONLine {
        var model = JSONLine()
        model.set("type", "BPE")
        for name in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"] {
            model.setNull(name)
        }
        model.set("fuse_unk", false)
        model.set("byte_fallback", false)
        model.set("ignore_merges", preTokenization.ignoresMerges)
        var ids = JSONLine()
        for (id, token) in vocabulary.tokens.enumerated() { ids.set(token, id) }
        model.set("vocab", ids)
        model.set("merges", try file.requiredTexts("tokenizer.ggml.merges"))
        return model
    }

    // MARK: - The ends of a text

    /// What puts the tokens at the ends of a text; nil where there are none.
    private func postProcessor() throws -> JSONLine? {
        guard let additions = try GGUFTokenizer(file)?.additions() else { return nil }
        let roles = try vocabulary.roles()
        func role(_ name: String, _ isWanted: Bool) throws -> (token: String, id: Int)? {
            guard isWanted else { return nil }
            guard let role = roles.first(where: { $0.name == "\(name)_token" }) else {
                throw file.bad(
                    "tokenizer.ggml.add_\(name)_token",
                    "is true, but there is no tokenizer.ggml.\(name)_token_id")
            }
            return (role.token, role.id)
        }
        let first = try role("bos", additions.beginning)
        let last = try role("eos", additions.end)
        guard first != nil || last != nil else { return nil }
        func part(_ sequence: String, type: Int) -> [JSONLine] {
            [
                first.map { Self.piece("SpecialToken", $0.token, type) },
                Self.piece("Sequence", sequence, type),
                last.map { Self.piece("SpecialToken", $0.token, type) },
            ].compactMap { $0 }
        }
        var processor = JSONLine()
        processor.set("type", "TemplateProcessing")
        processor.set("single", part("A", type: 0))
        processor.set("pair", part("A", type: 0) + part("B", type: 1))
        var special = JSONLine()
        var known: Set<String> = []
        for token in [first, last].compactMap({ $0 }) where known.insert(token.token).inserted {
            var line = JSONLine()
            line.set("id", token.token)
            line.set("ids", [token.id])
            line.set("tokens", [token.token])
            special.set(token.token, line)
        }
        processor.set("special_tokens", special)
        return processor
    }

    private static func piece(_ kind: String, _ id: String, _ type: Int) -> JSONLine {
        var inner = JSONLine()
        inner.set("id", id)
        inner.set("type_id", type)
        var piece = JSONLine()
        piece.set(kind, inner)
        return piece
    }
}
