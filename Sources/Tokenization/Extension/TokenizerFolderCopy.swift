import DualJSON
import Foundation

/// The files of a tokenizer's folder, which can be had with more tokens in them.
struct TokenizerFolderCopy {
    struct File: Sendable {
        let name: String
        let data: Data

        func write(to folder: URL) throws {
            try data.write(to: folder.appendingPathComponent(name), options: .atomic)
        }
    }

    private let folder: TokenizerFolder
    private let files: [File]
    private static let listName = "tokenizer.json"
    private static let oldListName = "added_tokens.json"

    /// - Throws: ``TokenizerError``.
    init(of files: ModelFiles) throws {
        let folder = TokenizerFolder(files)
        self.folder = folder
        // Chat templates are written by those who know them.
        self.files = try Tokenizer.fileNames.filter {
            $0 != "chat_template.jinja" && folder.has($0)
        }
        .map { File(name: $0, data: Data(try folder.bytes($0))) }
    }

    /// The files with more tokens: in `tokenizer.json` or, where there is none, in the list beside the
    /// vocabulary.
    func files(adding tokens: [ExtendedTokenizer.Token]) throws -> [File] {
        guard !tokens.isEmpty else { return files }
        var files = files
        func edit(
            _ name: String, from empty: String,
            _ change: ([UInt8]) throws -> [UInt8]
        ) throws {
            let place = files.firstIndex { $0.name == name }
            let bytes = place.map { [UInt8](files[$0].data) } ?? Array(empty.utf8)
            let file = File(name: name, data: Data(try change(bytes)))
            if let place { files[place] = file } else { files.append(file) }
        }
        let settings = TokenizerSettings.fileName
        if folder.has(Self.listName) {
            try edit(Self.listName, from: "{}") { bytes in
                try inserting(
                    tokens.map { Self.entry($0, hasID: true) }, inListOf: "added_tokens", bytes,
                    Self.listName)
            }
            // Without it transformers does not know the tokenizer's class.
            try edit(settings, from: #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#) { $0 }
        }
        if try member("added_tokens_decoder", of: settings) != nil {
            let entries = tokens.map { "\"\($0.id)\": \(Self.entry($0, hasID: false))" }
            try edit(settings, from: "{}") {
                try inserting(entries, inListOf: "added_tokens_decoder", $0, settings)
            }
        } else if !folder.has(Self.listName) {
            try edit(Self.oldListName, from: "{}") {
                try inserting(
                    tokens.map { "\(Self.quoted($0.text)): \($0.id)" }, inListOf: nil, $0,
                    Self.oldListName)
            }
        }
        return files
    }

    /// How a file says a token.
    private static func entry(_ token: ExtendedTokenizer.Token, hasID: Bool) -> String {
        "{" + (hasID ? "\"id\": \(token.id), " : "") + "\"content\": \(quoted(token.text)), "
            + "\"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
            + "\"normalized\": false, \"special\": false}"
    }

    private static func quoted(_ text: String) -> String {
        var line = JSONLine()
        line.set("", text)
        // {"":"..."}
        return String(line.text.dropFirst(#"{"":"#.count).dropLast())
    }

    /// A member of a file's object; nil where there is none, or no such file.
    private func member(_ key: String, of name: String) throws -> JSONValue? {
        guard folder.has(name) else { return nil }
        let value = try folder.scan(folder.text(name), name) { try $0.readValue() }
        guard case .object(let object) = value else { return nil }
        return object[key].flatMap { $0 == .null ? nil : $0 }
    }

    /// The bytes of a JSON file with more entries at the end of the list or object under a key, or of its
    /// own object; the rest stays as it is, byte for byte.
    private func inserting(
        _ entries: [String], inListOf key: String?, _ bytes: [UInt8], _ name: String
    ) throws -> [UInt8] {
        var place: (end: Int, isEmpty: Bool, isThere: Bool)?
        try folder.scan(bytes, name) { reader in
            var hasMembers = false
            try reader.readMembers { found, reader in
                hasMembers = true
                let isWanted = key.map { found.elementsEqual($0.utf8) } ?? false
                switch isWanted ? try reader.readValue() : .null {
                case .array(let list): place = (reader.position - 1, list.isEmpty, true)
                case .object(let object):
                    place = (reader.position - 1, object.members.isEmpty, true)
                default: if !isWanted { _ = try reader.readValue() }
                }
            }
            place = place ?? (reader.position - 1, !hasMembers, false)
        }
        guard let place else { return bytes }
        var text = entries.joined(separator: ", ")
        if let key, !place.isThere { text = "\"\(key)\": [\(text)]" }
        if !place.isEmpty { text = ", " + text }
        return bytes[..<place.end] + Array(text.utf8) + bytes[place.end...]
    }
}
