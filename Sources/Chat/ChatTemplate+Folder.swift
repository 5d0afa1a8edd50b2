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
        let tokens = try SpecialTokens.read(from: folder)
        let entries = try entries(in: folder)
        guard let first = entries.first else { return nil }
        let wanted = named ?? "default"
        guard let entry = entries.first(where: { $0.name == wanted }) else {
            throw ChatTemplateError.noTemplate(
                file: first.file, named: wanted, known: entries.map(\.name).sorted())
        }
        return try ChatTemplate(source: entry.text, name: entry.file, specialTokens: tokens)
    }

    /// The templates of a folder, from the first place that has any.
    static func entries(in folder: URL) throws -> [Entry] {
        let files = try readFiles(folder)
        if !files.isEmpty { return files }
        for name in [settingsName, processorName] {
            let url = folder.appendingPathComponent(name)
            let entries = try entries(in: fields(of: url), url)
            if !entries.isEmpty { return entries }
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

    /// One template, or a list of named ones.
    private static func entries(in fields: JSONObject, _ url: URL) throws -> [Entry] {
        switch fields["chat_template"] {
        case nil, .null: return []
        case .string(let text): return [Entry(name: "default", text: text, file: url.path)]
        case .array(let list):
            return try list.enumerated().map { index, element in
                guard case .object(let fields) = element,
                    case .string(let name) = fields["name"],
                    case .string(let text) = fields["template"]
                else {
                    throw ChatTemplateError.badField(
                        file: url.path, field: "chat_template[\(index)]",
                        expected: "an object with the strings 'name' and 'template'")
                }
                return Entry(name: name, text: text, file: url.path)
            }
        case .object(let named) where named.members.allSatisfy({ $0.value.text != nil }):
            return named.members.map {
                Entry(name: $0.key, text: $0.value.text ?? "", file: url.path)
            }.sorted { $0.name < $1.name }
        default:
            throw ChatTemplateError.badField(
                file: url.path, field: "chat_template",
                expected: "a string or a list of named templates")
        }
    }

    /// The object in a file of JSON; an empty one where there is no such file.
    static func fields(of url: URL) throws -> JSONObject {
        guard FileManager.default.fileExists(atPath: url.path) else { return JSONObject([]) }
        let text = try text(of: url)
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.value(of: Array(text.utf8))
        } catch {
            throw ChatTemplateError.unreadable(
                file: url.path, reason: "it is not JSON; line \(error.line): \(error.message)")
        }
        guard case .object(let fields) = value else {
            throw ChatTemplateError.unreadable(file: url.path, reason: "it is no JSON object")
        }
        return fields
    }

    static func text(of url: URL) throws -> String {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw ChatTemplateError.unreadable(
                file: url.path,
                reason: ReadFault.words(for: url.path) ?? error.localizedDescription)
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
