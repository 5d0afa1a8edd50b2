import DualJSON
import Foundation

extension Tokenizer {
    /// Writes what a folder lacks for transformers to open its tokenizer: `tokenizer_config.json` with the
    /// tokens that have a part to play, and for `vocab.json` with `merges.txt` or `vocab.txt` the same
    /// tokenizer as `tokenizer.json`, as transformers 5 reads nothing else for many models.
    ///
    /// Ids stay what they are.
    /// - Parameter folder: a model's, written already.
    /// - Throws: ``TokenizerError``, or an error of the file system.
    package static func complete(_ folder: URL) throws {
        let files = TokenizerFolder(url: folder)
        let tokenizer = try load(from: folder)
        let name = "tokenizer.json"
        let form: Form =
            if files.has(name) {
                .file
            } else if files.has(BytePairFiles.mergesName) {
                .bytePairs
            } else if files.has("vocab.txt") { .words } else { .sentencePiece }
        if !files.has(TokenizerSettings.fileName) {
            try write(tokenizer.settings(form, files), to: files, TokenizerSettings.fileName)
        }
        if let fields = try tokenizer.fields(form, files) { try write(fields, to: files, name) }
    }

    /// The files that a tokenizer is given as.
    private enum Form {
        case file, bytePairs, words, sentencePiece
    }

    private static func write(
        _ fields: [String: Any], to folder: TokenizerFolder, _ name: String
    ) throws {
        let data = try JSONSerialization.data(
            withJSONObject: fields, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try data.write(to: folder.url.appendingPathComponent(name), options: .atomic)
    }

    // MARK: - tokenizer_config.json

    private func settings(_ form: Form, _ folder: TokenizerFolder) throws -> [String: Any] {
        var fields: [String: Any] = [:]
        let ends = try modelEnds(folder)
        fields["bos_token"] = (beginningOfTextID ?? ends.beginning).flatMap { token(for: $0) }
        fields["eos_token"] = (endOfTextID ?? ends.end).flatMap { token(for: $0) }
        var standard: [String: String] = [:]
        switch form {
        case .file: fields["tokenizer_class"] = "PreTrainedTokenizerFast"
        case .bytePairs:
            let isRoberta = try BytePairFamily.of(folder) == .roberta
            fields["tokenizer_class"] = isRoberta ? "RobertaTokenizer" : "GPT2Tokenizer"
            standard =
                isRoberta
                ? [
                    "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>",
                    "cls_token": "<s>", "mask_token": "<mask>",
                ] : ["unk_token": "<|endoftext|>"]
        case .words:
            fields["tokenizer_class"] = "BertTokenizer"
            standard = [
                "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
                "cls_token": "[CLS]", "mask_token": "[MASK]",
            ]
        case .sentencePiece:
            let isLlama = folder.has("tokenizer.model")
            fields["tokenizer_class"] = isLlama ? "LlamaTokenizer" : "DebertaV2Tokenizer"
            standard = ["unk_token": isLlama ? "<unk>" : "[UNK]"]
            if isLlama {
                let frame = try encode("").ids
                fields["add_bos_token"] = beginningOfTextID.map(frame.contains) ?? false
                fields["add_eos_token"] = endOfTextID.map(frame.contains) ?? false
            }
        }
        for (name, token) in standard where id(for: token) != nil { fields[name] = token }
        return fields
    }

    /// The ids that the model's configuration names for the ends of a text.
    private func modelEnds(
        _ folder: TokenizerFolder
    ) throws -> (beginning: Int?, end: Int?) {
        guard folder.has("config.json"),
            case .object(let fields)? = try? JSONReader.value(of: folder.bytes("config.json"))
        else { return (nil, nil) }
        func id(_ name: String) -> Int? {
            switch fields[name] {
            case .number(let text): Int(text)
            case .array(let values):
                if case .number(let text)? = values.first { Int(text) } else { nil }
            default: nil
            }
        }
        return (id("bos_token_id"), id("eos_token_id"))
    }

    // MARK: - tokenizer.json

    /// The tokenizer as `tokenizers` saves it; nil where a folder has it so, or has a SentencePiece model.
    private func fields(_ form: Form, _ folder: TokenizerFolder) throws -> [String: Any]? {
        var fields: [String: Any] = [
            "version": "1.0", "truncation": NSNull(), "padding": NSNull(), "normalizer": NSNull(),
            "added_tokens": addedTokens.tokens.sorted { $0.key < $1.key }.map(Self.fields),
            "post_processor": [
                "type": "TemplateProcessing", "single": Self.fields(postProcessor.single),
                "pair": Self.fields(postProcessor.pair), "special_tokens": specialFields,
            ] as [String: Any],
        ]
        switch form {
        case .file, .sentencePiece: return nil
        case .bytePairs:
            let byteLevel: [String: Any] = [
                "type": "ByteLevel", "trim_offsets": true, "use_regex": true,
                "add_prefix_space": (preTokenizer as? ByteLevelPreTokenizer)?.addsPrefixSpace
                    ?? false,
            ]
            fields["pre_tokenizer"] = byteLevel
            fields["decoder"] = byteLevel
            fields["model"] = try bytePairFields(folder)
        case .words:
            guard let normalizer = normalizer as? BertNormalizer else { return nil }
            fields["normalizer"] =
                [
                    "type": "BertNormalizer", "clean_text": normalizer.cleansText,
                    "handle_chinese_chars": normalizer.separatesChinese,
                    "strip_accents": normalizer.stripsAccents ?? NSNull(),
                    "lowercase": normalizer.lowercases,
                ] as [String: Any]
            fields["pre_tokenizer"] = ["type": "BertPreTokenizer"]
            fields["decoder"] = ["type": "WordPiece", "prefix": "##", "cleanup": true]
            fields["model"] = wordFields
        }
        return fields
    }

    private func bytePairFields(_ folder: TokenizerFolder) throws -> [String: Any] {
        var merges = String(
            decoding: try folder.text(BytePairFiles.mergesName), as: UTF8.self
        ).split(separator: "\n", omittingEmptySubsequences: true).map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
        merges.removeAll { $0.hasPrefix("#version") }
        return [
            "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "fuse_unk": false,
            "byte_fallback": false, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "vocab": ids, "merges": merges,
        ]
    }

    private var wordFields: [String: Any] {
        let unknown = (model as? WordPiece)?.unknownID
        return [
            "type": "WordPiece", "unk_token": unknown.flatMap { token(for: $0) } ?? "[UNK]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids,
        ]
    }

    /// The ids of the model's own vocabulary.
    private var ids: [String: Int] {
        var ids: [String: Int] = [:]
        for id in 0...model.vocabulary.maximumID {
            if let token = model.vocabulary.token(for: id) { ids[token] = id }
        }
        return ids
    }

    private static func fields(_ id: Int, _ token: AddedToken) -> [String: Any] {
        [
            "id": id, "content": token.content, "single_word": token.singleWord,
            "lstrip": token.stripsLeft, "rstrip": token.stripsRight,
            "normalized": token.normalized, "special": token.special,
        ]
    }

    private static func fields(_ parts: [TemplateProcessing.Part]) -> [[String: Any]] {
        parts.flatMap { part -> [[String: Any]] in
            switch part {
            case .first(let type): [["Sequence": ["id": "A", "type_id": type] as [String: Any]]]
            case .second(let type): [["Sequence": ["id": "B", "type_id": type] as [String: Any]]]
            case .special(let pieces, let type):
                pieces.map {
                    ["SpecialToken": ["id": $0.token, "type_id": type] as [String: Any]]
                }
            }
        }
    }

    private var specialFields: [String: Any] {
        var fields: [String: Any] = [:]
        for case .special(let pieces, _) in postProcessor.single + postProcessor.pair {
            for piece in pieces {
                fields[piece.token] =
                    ["id": piece.token, "ids": [piece.id], "tokens": [piece.token]]
                    as [String: Any]
            }
        }
        return fields
    }
}
