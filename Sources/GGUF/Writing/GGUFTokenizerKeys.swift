import DualJSON
import DualTokenization
import Foundation

/// The metadata that the files of a tokenizer amount to (`tokenizer.ggml.*`).
struct GGUFTokenizerKeys {
    private(set) var keys: [(String, GGUFWriter.Value)] = []
    private let files: ModelFiles
    /// `tokenizer_config.json`.
    private let settings: JSONObject
    private var tokens: [String] = []
    private var kinds: [GGUFVocabulary.Kind] = []
    private var scores: [Float] = []

    /// - Parameter size: how many tokens there are to be: the embedding's rows; nil for those of the files.
    /// - Throws: ``GGUFError`` for a tokenizer that the format has no place for; nothing is written of none.
    init(_ files: ModelFiles, size: Int?) throws {
        self.files = files
        settings = try Self.object("tokenizer_config.json", files) ?? JSONObject([])
        if files.has("tokenizer.model") {
            try addPieces(size)
        } else if let fields = try Self.object("tokenizer.json", files) {
            try addBytePairs(fields, size)
        } else {
            return
        }
        try addRoles()
        try addTemplates()
    }

    private static func object(_ name: String, _ files: ModelFiles) throws -> JSONObject? {
        guard files.has(name) else { return nil }
        do {
            let value = try JSONReader.value(of: [UInt8](files.data(name)))
            if case .object(let object) = value { return object }
        } catch let fault as JSONFault {
            throw GGUFError.badKey(name, file: files.url.path, reason: fault.message)
        } catch let fault as GivenFile.Fault {
            throw GGUFError.badKey(name, file: files.url.path, reason: fault.reason)
        }
        throw GGUFError.badKey(name, file: files.url.path, reason: "is not a JSON object")
    }

    private func bad(_ name: String, _ reason: String) -> GGUFError {
        .badKey(name, file: files.url.path, reason: reason)
    }

    private mutating func set(_ name: String, _ value: GGUFWriter.Value) {
        keys.append(("tokenizer.\(name)", value))
    }

    // MARK: - Vocabularies

    /// Gives a token its place, between those that no file names.
    private mutating func put(
        _ token: String, _ id: Int, _ kind: GGUFVocabulary.Kind, score: Float = -1000
    ) throws {
        guard 0..<10_000_000 ~= id else { throw bad("tokenizer.json", "has a token with id \(id)") }
        while tokens.count <= id {
            tokens.append("[PAD\(tokens.count)]")
            kinds.append(.unused)
            scores.append(-10000)
        }
        (tokens[id], kinds[id], scores[id]) = (token, kind, score)
    }

    private mutating func pad(to size: Int?) {
        while let size, tokens.count < size {
            tokens.append("[PAD\(tokens.count)]")
            kinds.append(.unused)
            scores.append(-10000)
        }
    }

    private mutating func addPieces(_ size: Int?) throws {
        let name = "tokenizer.model"
        let model: SentencePiecePieces
        do {
            model = try SentencePiecePieces([UInt8](files.data(name)), file: files.path(name))
        } catch let fault as GivenFile.Fault {
            throw bad(name, fault.reason)
        }
        guard model.mergesPlainText else {
            throw bad(name, "is not a BPE model of plain text, which alone is written as GGUF")
        }
        for (id, piece) in model.pieces.enumerated() {
            try put(piece.token, id, GGUFVocabulary.Kind(piece.kind), score: piece.score)
        }
        if case .object(let added)? = settings["added_tokens_decoder"] {
            for member in added.members {
                guard let id = Int(member.key), case .object(let token) = member.value,
                    let text = token["content"]?.text
                else { continue }
                if id < tokens.count, tokens[id] == text, kinds[id] != .normal { continue }
                try put(text, id, token["special"] == .bool(true) ? .control : .userDefined)
            }
        }
        pad(to: size)
        set("ggml.model", .text(GGUFTokenizer.Model.sentencePiece.rawValue))
        set("ggml.pre", .text("default"))
        addTokens(withScores: true)
        let adds = flag("add_prefix_space") ?? model.addsDummyPrefix
        set("ggml.add_space_prefix", .flag(adds))
        if model.removesExtraWhitespace { set("ggml.remove_extra_whitespaces", .flag(true)) }
    }

    private mutating func addBytePairs(_ fields: JSONObject, _ size: Int?) throws {
        let name = "tokenizer.json"
        guard case .object(let model)? = fields["model"], case .object(let ids)? = model["vocab"],
            case .array(let merges)? = model["merges"], model["byte_fallback"] != .bool(true)
        else { throw bad(name, "is not a byte-level BPE, which alone is written as GGUF") }
        guard let pre = PreTokenization.name(of: fields["pre_tokenizer"], fields["normalizer"])
        else {
            throw bad(
                name,
                "has a pre_tokenizer that llama.cpp has no name for, or none that is known here"
            )
        }
        for member in ids.members {
            guard case .number(let text) = member.value, let id = Int(text) else { continue }
            try put(member.key, id, .normal)
        }
        if case .array(let added)? = fields["added_tokens"] {
            for case .object(let token) in added {
                guard let text = token["content"]?.text, case .number(let number)? = token["id"],
                    let id = Int(number)
                else { continue }
                try put(text, id, token["special"] == .bool(true) ? .control : .userDefined)
            }
        }
        pad(to: size)
        set("ggml.model", .text(GGUFTokenizer.Model.bytePairs.rawValue))
        set("ggml.pre", .text(pre))
        addTokens(withScores: false)
        set("ggml.merges", .texts(try merges.map { try merge($0) }))
        let frame = Self.frame(of: fields["post_processor"])
        for (key, isAdded) in [("bos", frame.first), ("eos", frame.last)]
        where flag("add_\(key)_token") == nil {
            set("ggml.add_\(key)_token", .flag(isAdded))
        }
    }

    private func merge(_ value: JSONValue) throws -> String {
        switch value {
        case .string(let text): return text
        case .array(let parts) where parts.count == 2:
            return parts.compactMap(\.text).joined(separator: " ")
        default: throw bad("tokenizer.json", "has a merge that is no pair")
        }
    }

    private mutating func addTokens(withScores: Bool) {
        set("ggml.tokens", .texts(tokens))
        if withScores { set("ggml.scores", .numbers(scores)) }
        set("ggml.token_type", .integers(kinds.map { Int32($0.rawValue) }))
    }

    /// Whether a template puts a token before and behind a single text.
    private static func frame(of processor: JSONValue?) -> (first: Bool, last: Bool) {
        guard case .object(let fields)? = processor else { return (false, false) }
        if case .array(let inner)? = fields["processors"] {
            return inner.map { frame(of: $0) }.first { $0.first || $0.last } ?? (false, false)
        }
        guard case .array(let parts)? = fields["single"] else { return (false, false) }
        func isSpecial(_ part: JSONValue?) -> Bool {
            guard case .object(let fields)? = part else { return false }
            return fields["SpecialToken"] != nil
        }
        return (isSpecial(parts.first), parts.count > 1 && isSpecial(parts.last))
    }

    // MARK: - Parts that tokens play

    private func flag(_ name: String) -> Bool? {
        guard case .bool(let flag)? = settings[name] else { return nil }
        return flag
    }

    private mutating func addRoles() throws {
        var ids: [String: Int] = [:]
        for (id, token) in tokens.enumerated() { ids[token] = id }
        for (name, key) in [
            ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"),
            ("sep_token", "seperator"), ("pad_token", "padding"), ("mask_token", "mask"),
        ] {
            let text: String? =
                switch settings[name] {
                case .string(let text): text
                case .object(let fields): fields["content"]?.text
                default: nil
                }
            guard let text, let id = ids[text] else { continue }
            set("ggml.\(key)_token_id", .count(UInt32(id)))
        }
        for name in ["bos", "eos"] {
            if let flag = flag("add_\(name)_token") { set("ggml.add_\(name)_token", .flag(flag)) }
        }
    }

    private mutating func addTemplates() throws {
        func text(_ name: String) throws -> String {
            do throws(GivenFile.Fault) {
                return String(decoding: try files.data(name), as: UTF8.self)
            } catch {
                throw bad(name, error.reason)
            }
        }
        if files.has("chat_template.jinja") {
            set("chat_template", .text(try text("chat_template.jinja")))
        } else if let template = settings["chat_template"]?.text {
            set("chat_template", .text(template))
        }
        let folder = "additional_chat_templates"
        for name in files.names(in: folder) where name.hasSuffix(".jinja") {
            set(
                "chat_template.\(name.dropLast(".jinja".count))",
                .text(try text("\(folder)/\(name)")))
        }
    }
}

extension GGUFVocabulary.Kind {
    fileprivate init(_ kind: SentencePieceModelData.Kind) {
        self =
            switch kind {
            case .normal: .normal
            case .unknown: .unknown
            case .control: .control
            case .userDefined: .userDefined
            case .unused: .unused
            case .byte: .byte
            }
    }
}

extension PreTokenization {
    /// The name that llama.cpp has for the stages of a `tokenizer.json`; nil for others.
    static func name(of preTokenizer: JSONValue?, _ normalizer: JSONValue?) -> String? {
        guard let found = stages(of: preTokenizer) else { return nil }
        let composes: Bool
        switch normalizer {
        case nil, .null: composes = false
        case .object(let fields) where fields["type"]?.text == "NFC": composes = true
        default: return nil
        }
        let candidates = all.filter { stages(of: $0.value) == found }
        // A text that is not composed is cut the same.
        let named = candidates.first { $0.composes == composes } ?? candidates.first
        return named.flatMap { $0.names.first { $0 != "default" } }
    }

    /// The field as it is read.
    private var value: JSONValue? { try? JSONReader.value(of: field.object) }

    /// What a field does, a word for each stage.
    private static func stages(of field: JSONValue?) -> [String]? {
        guard case .object(let fields)? = field else { return nil }
        switch fields["type"]?.text {
        case "Sequence":
            guard case .array(let inner)? = fields["pretokenizers"] else { return nil }
            let parts = inner.map { stages(of: $0) }
            return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
        case "Digits": return ["digits \(fields["individual_digits"] == .bool(true))"]
        case "ByteLevel":
            let usesPattern = fields["use_regex"] != .bool(false)
            return fields["add_prefix_space"] == .bool(true) ? nil : ["bytes \(usesPattern)"]
        case "Split":
            guard case .object(let pattern)? = fields["pattern"],
                let regex = pattern["Regex"]?.text,
                fields["behavior"]?.text == "Isolated", fields["invert"] != .bool(true)
            else { return nil }
            return [regex]
        default: return nil
        }
    }
}
