import Foundation

extension ChatTemplate {
    /// The files in which transformers keeps a template, the first before the others.
    public static let fileName = "chat_template.jinja"
    static let folderName = "additional_chat_templates"
    static let settingsName = "tokenizer_config.json"
    static let processorName = "chat_template.json"

    /// The template of a model's or tokenizer's folder: that of `chat_template.jinja` and
    /// `additional_chat_templates`, else of `tokenizer_config.json`, else of `chat_template.json`.
    ///
    /// - Parameter named: which of several; nil for the one named `default`, as a single one is.
    /// - Returns: nil where the folder has none.
    /// - Throws: ``ChatTemplateError``.
    public static func load(from folder: URL, named: String? = nil) throws -> ChatTemplate? {
        let tokens = try SpecialTokens.read(from: folder)
        let found = try entries(in: folder)
        guard let first = found.first else { return nil }
        let wanted = named ?? "default"
        guard let entry = found.first(where: { $0.name == wanted }) else {
            throw ChatTemplateError.noTemplate(
                file: first.file, named: wanted, known: found.map(\.name).sorted())
        }
        return try ChatTemplate(source: entry.text, name: entry.file, specialTokens: tokens)
    }

    /// The templates of a folder, from the first place that has any.
    static func entries(in folder: URL) throws -> [Entry] {
        for read in [readFiles, readSettings, readProcessor] {
            let found = try read(folder)
            if !found.isEmpty { return found }
        }
        return []
    }

    struct Entry {
        let name, text, file: String
    }

    private static func readFiles(_ folder: URL) throws -> [Entry] {
        var entries: [Entry] = []
        let main = folder.appendingPathComponent(fileName)
        if FileManager.default.fileExists(atPath: main.path) {
            entries.append(Entry(name: "default", text: try text(of: main), file: main.path))
        }
        let others = folder.appendingPathComponent(folderName)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: others.path)) ?? []
        for name in names.sorted() where name.hasSuffix(".jinja") {
            let url = others.appendingPathComponent(name)
            entries.append(
                Entry(
                    name: String(name.dropLast(".jinja".count)), text: try text(of: url),
                    file: url.path))
        }
        return entries
    }

    private static func readSettings(_ folder: URL) throws -> [Entry] {
        let url = folder.appendingPathComponent(settingsName)
        return try entries(in: JSONFields.read(url), url)
    }

    private static func readProcessor(_ folder: URL) throws -> [Entry] {
        let url = folder.appendingPathComponent(processorName)
        return try entries(in: JSONFields.read(url), url)
    }

    /// One template, or a list of named ones.
    private static func entries(in fields: [String: Any], _ url: URL) throws -> [Entry] {
        switch fields["chat_template"] {
        case nil, is NSNull: return []
        case let text as String: return [Entry(name: "default", text: text, file: url.path)]
        case let list as [Any]:
            return try list.enumerated().map { index, element in
                let fields = element as? [String: Any]
                guard let name = fields?["name"] as? String,
                    let text = fields?["template"] as? String
                else {
                    throw ChatTemplateError.badField(
                        file: url.path, field: "chat_template[\(index)]",
                        expected: "an object with the strings 'name' and 'template'")
                }
                return Entry(name: name, text: text, file: url.path)
            }
        case let named as [String: String]:
            return named.keys.sorted().map {
                Entry(name: $0, text: named[$0] ?? "", file: url.path)
            }
        default:
            throw ChatTemplateError.badField(
                file: url.path, field: "chat_template",
                expected: "a string or a list of named templates")
        }
    }

    static func text(of url: URL) throws -> String {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw ChatTemplateError.unreadable(
                file: url.path, reason: error.localizedDescription)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ChatTemplateError.unreadable(file: url.path, reason: "it is not UTF-8 text")
        }
        return text
    }

    /// A template in a file of its own, with the special tokens of a tokenizer's folder.
    ///
    /// - Throws: ``ChatTemplateError``.
    public static func load(file: URL, tokensFrom folder: URL?) throws -> ChatTemplate {
        let tokens = try folder.map { try SpecialTokens.read(from: $0) } ?? [:]
        return try ChatTemplate(
            source: text(of: file), name: file.relativePath, specialTokens: tokens)
    }
}

/// A JSON object in a file.
enum JSONFields {
    /// The fields; none where there is no such file.
    static func read(_ url: URL) throws -> [String: Any] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
        let text = try ChatTemplate.text(of: url)
        guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else {
            throw ChatTemplateError.unreadable(file: url.path, reason: "it is not JSON")
        }
        guard let fields = value as? [String: Any] else {
            throw ChatTemplateError.unreadable(file: url.path, reason: "it is no JSON object")
        }
        return fields
    }
}

/// The tokens that a tokenizer's files give a part to play.
enum SpecialTokens {
    private static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// By name, as transformers finds them: those of `tokenizer_config.json`, and over them those of
    /// `special_tokens_map.json` where the former does not list its added tokens, as it did not of old.
    static func read(from folder: URL) throws -> [String: String] {
        let url = folder.appendingPathComponent(ChatTemplate.settingsName)
        let settings = try JSONFields.read(url)
        var tokens = try named(in: settings, url)
        guard settings["added_tokens_decoder"] == nil else { return tokens }
        let mapURL = folder.appendingPathComponent("special_tokens_map.json")
        let map = try JSONFields.read(mapURL)
        for name in names where map[name] is NSNull { tokens[name] = nil }
        return tokens.merging(try named(in: map, mapURL)) { _, later in later }
    }

    /// The tokens of a file: the usual ones and those that a model has of its own. As in transformers,
    /// `model_specific_special_tokens` counts only where no other place names one of these.
    private static func named(in fields: [String: Any], _ url: URL) throws -> [String: String] {
        var tokens: [String: String] = [:]
        var own: [String: String] = [:]
        for (name, value) in fields where name.hasSuffix("_token") && !(value is NSNull) {
            if names.contains(name) {
                tokens[name] = try text(value, name, url)
            } else {
                own[name] = text(value)
            }
        }
        for key in ["extra_special_tokens", "model_specific_special_tokens"]
        where key == "extra_special_tokens" || own.isEmpty {
            for (name, value) in fields[key] as? [String: Any] ?? [:] {
                own[name] = try text(value, name, url)
            }
        }
        return tokens.merging(own) { _, own in own }
    }

    /// A token is spelled alone, or with how it is matched.
    private static func text(_ value: Any, _ name: String, _ url: URL) throws -> String {
        if let text = text(value) { return text }
        throw ChatTemplateError.badField(
            file: url.path, field: name, expected: "a string or an object with 'content'")
    }

    private static func text(_ value: Any) -> String? {
        value as? String ?? (value as? [String: Any])?["content"] as? String
    }
}
