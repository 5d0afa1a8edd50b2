import DualJSON
import Foundation

extension ModelFiles {
    /// The files of a model: a folder's, or those that a GGUF file amounts to.
    ///
    /// A GGUF file has `config.json` in its metadata, and where it has a tokenizer, that and the chat
    /// templates.
    /// - Throws: ``GGUFError``.
    public init(of place: URL) throws {
        if GGUFFile.isOne(place) {
            try self.init(GGUFFile(place))
        } else {
            self.init(folder: place)
        }
    }

    /// Those that a GGUF file amounts to.
    /// - Throws: ``GGUFError``.
    package init(_ file: GGUFFile) throws {
        var contents: [String: Maker] = [:]
        func add(_ name: String, _ make: @escaping () throws -> Data) {
            contents[name] = { try Self.made(make) }
        }
        add("config.json") {
            try JSONSerialization.data(
                withJSONObject: GGUFConfiguration(file).fields(),
                options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        }
        if file["tokenizer.ggml.model"] != nil, let tokenizer = try GGUFTokenizer(file) {
            add(tokenizer.vocabularyName) { try tokenizer.vocabularyFile() }
            add("tokenizer_config.json") { try tokenizer.settingsFile() }
        }
        let key = "tokenizer.chat_template"
        if file[key] != nil {
            add("chat_template.jinja") { Data((try file.text(key) ?? "").utf8) }
        }
        for other in file.keys where other.hasPrefix(key + ".") {
            let name = other.dropFirst(key.count + 1)
            guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else { continue }
            add("additional_chat_templates/\(name).jinja") {
                Data((try file.text(other) ?? "").utf8)
            }
        }
        self.init(of: file.url, contents: contents)
    }

    /// What `make` makes; what is wrong with the metadata is what is wrong with the file.
    private static func made(_ make: () throws -> Data) throws -> Data {
        do {
            return try make()
        } catch let error as GGUFError {
            throw GivenFile.Fault(reason: error.reason)
        }
    }
}
