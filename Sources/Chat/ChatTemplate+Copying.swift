import DualJSON
import Foundation

extension ChatTemplate {
    /// What ``copy(from:to:)`` and ``write(to:)`` make in a folder.
    package static let writtenNames = [fileName, folderName]

    /// Writes the templates of a model's files into a folder, as transformers writes them since 4.43:
    /// `chat_template.jinja`, and others than the default into `additional_chat_templates`.
    ///
    /// They are copied as they are, whether or not this package can read them.
    /// - Returns: whether there were any.
    /// - Throws: ``ChatTemplateError``, or an error of the file system.
    @discardableResult
    package static func copy(from source: ModelFiles, to folder: URL) throws -> Bool {
        let entries = try entries(in: source)
        for entry in entries {
            try write(entry.text, named: entry.name, file: entry.file, to: folder)
        }
        return !entries.isEmpty
    }

    /// Writes the template into a folder as its default one.
    public func write(to folder: URL) throws {
        try Self.write(source, named: "default", file: name, to: folder)
    }

    private static func write(
        _ text: String, named name: String, file: String, to folder: URL
    ) throws {
        var destination = folder.appendingPathComponent(fileName)
        if name != "default" {
            guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/") else {
                throw ChatTemplateError.badField(
                    file: file, field: "chat_template",
                    expected: "templates with names that files can have, not '\(name)'")
            }
            let others = folder.appendingPathComponent(folderName)
            try FileManager.default.createDirectory(
                at: others, withIntermediateDirectories: true)
            destination = others.appendingPathComponent(name + ".jinja")
        }
        try Data(text.utf8).write(to: destination, options: .atomic)
    }

    /// The template of the first place that has one: an adapter's before its model's.
    ///
    /// Special tokens are those of all places, the first before the others.
    /// - Throws: as ``load(from:named:)``.
    package static func load(fromFirstOf sources: [ModelFiles]) throws -> ChatTemplate? {
        var tokens: [String: String] = [:]
        for files in sources {
            tokens.merge(try SpecialTokens.read(from: files)) { first, _ in first }
        }
        for files in sources {
            guard let template = try load(from: files) else { continue }
            return try ChatTemplate(
                source: template.source, name: template.name, specialTokens: tokens)
        }
        return nil
    }
}
