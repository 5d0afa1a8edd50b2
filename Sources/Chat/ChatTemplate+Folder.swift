import DualJSON
import Foundation

extension ChatTemplate {
    /// The files in which transformers keeps a template, the first before the others.
    static let fileName = "chat_template.jinja"
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
        try load(from: ModelFiles(folder: folder), named: named)
    }

    /// The template among a model's files.
    /// - Throws: as ``load(from:named:)``.
    public static func load(
        from files: ModelFiles, named: String? = nil
    ) throws -> ChatTemplate? {
        let tokens = try SpecialTokens.read(from: files)
        let entries = try entries(in: files)
        guard let first = entries.first else { return nil }
        let wanted = named ?? "default"
        guard let entry = entries.first(where: { $0.name == wanted }) else {
            throw ChatTemplateError.noTemplate(
                file: first.file, named: wanted, known: entries.map(\.name).sorted())
        }
        return try ChatTemplate(source: entry.text, name: entry.file, specialTokens: tokens)
    }

    /// The templates of a folder, from the first place that has any.
    static func entries(in files: ModelFiles) throws -> [Entry] {
        let written = try readFiles(files)
        if !written.isEmpty { return written }
        for name in [settingsName, processorName] {
            let entries = try entries(in: fields(of: name, in: files), files.path(name))
            if !entries.isEmpty { return entries }
        }
        return []
    }

    struct Entry {
        let name, text, file: String
    }

    private static func readFiles(_ files: ModelFiles) throws -> [Entry] {
        var entries: [Entry] = []
        if files.has(fileName) {
            entries.append(
                Entry(
                    name: "default", text: try text(of: fileName, in: files),
                    file: files.path(fileName)))
        }
        for name in files.names(in: folderName) where name.hasSuffix(".jinja") {
            let place = "\(folderName)/\(name)"
            entries.append(
                Entry(
                    name: String(name.dropLast(".jinja".count)),
                    text: try text(of: place, in: files), file: files.path(place)))
        }
        return entries
    }

    /// One template, or a list of named ones.
    private static func entries(in fields: JSONObject, _ path: String) throws -> [Entry] {
        switch fields["chat_template"] {
        case nil, .null: return []
        case .string(let text): return [Entry(name: "default", text: text, file: path)]
        case .array(let list):
            return try list.enumerated().map { index, element in
                guard case .object(let fields) = element,
                    case .string(let name) = fields["name"],
                    case .string(let text) = fields["template"]
                else {
                    throw ChatTemplateError.badField(
                        file: path, field: "chat_template[\(index)]",
                        expected: "an object with the strings 'name' and 'template'")
                }
                return Entry(name: name, text: text, file: path)
            }
        case .object(let named) where named.members.allSatisfy({ $0.value.text != nil }):
            return named.members.map {
                Entry(name: $0.key, text: $0.value.text ?? "", file: path)
            }.sorted { $0.name < $1.name }
        default:
            throw ChatTemplateError.badField(
                file: path, field: "chat_template",
                expected: "a string or a list of named templates")
        }
    }

    /// The object in a file of JSON; an empty one where there is no such file.
    static func fields(of name: String, in files: ModelFiles) throws -> JSONObject {
        guard files.has(name) else { return JSONObject([]) }
        let (path, text) = (files.path(name), try text(of: name, in: files))
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.value(of: Array(text.utf8))
        } catch {
            throw ChatTemplateError.unreadable(
                file: path, reason: "it is not JSON; line \(error.line): \(error.message)")
        }
        guard case .object(let fields) = value else {
            throw ChatTemplateError.unreadable(file: path, reason: "it is no JSON object")
        }
        return fields
    }

    static func text(of name: String, in files: ModelFiles) throws -> String {
        try text(of: files.path(name)) { () throws(GivenFile.Fault) in try files.data(name) }
    }

    private static func text(
        of path: String, _ read: () throws(GivenFile.Fault) -> Data
    ) throws -> String {
        let data: Data
        do throws(GivenFile.Fault) {
            data = try read()
        } catch {
            throw ChatTemplateError.unreadable(file: path, reason: error.reason)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ChatTemplateError.unreadable(file: path, reason: "it is not UTF-8 text")
        }
        return text
    }

    /// A template in a file of its own, with the special tokens of a tokenizer's folder.
    ///
    /// - Throws: ``ChatTemplateError``.
    public static func load(file: URL, tokensFrom folder: URL?) throws -> ChatTemplate {
        try load(
            file: file, tokens: folder.map { try SpecialTokens.read(from: ModelFiles(folder: $0)) })
    }

    static func load(file: URL, tokens: [String: String]?) throws -> ChatTemplate {
        let source = try text(of: file.path) { () throws(GivenFile.Fault) in
            try GivenFile.data(of: file)
        }
        return try ChatTemplate(
            source: source, name: file.relativePath, specialTokens: tokens ?? [:])
    }
}
