import Foundation

/// Plain text to train and score language models on.
public struct PlainTextFiles: Sendable {
    /// What of a file is one document, whose tokens see nothing of another.
    public enum Unit: String, CaseIterable, Sendable {
        case file
        /// Separated by empty lines.
        case paragraph
        case line
    }

    /// The names of a folder's files, in order of preference.
    public static let trainNames = ["train.txt"]
    public static let devNames = ["dev.txt", "valid.txt", "validation.txt"]

    public var unit: Unit

    public init(unit: Unit = .file) { self.unit = unit }

    /// The files that are meant by a list of files, or by one folder with `train.txt` and `dev.txt`.
    /// - Returns: nil where a folder has no file for the part.
    /// - Throws: ``TaskDataError``.
    public static func files(_ split: Split, of urls: [URL]) throws(TaskDataError) -> [URL]? {
        guard urls.count == 1, urls[0].isFolder else { return urls }
        let names = split == .train ? trainNames : devNames
        let files = names.map { urls[0].appendingPathComponent($0) }
        let file = files.first(where: \.exists)
        if split == .train, file == nil {
            throw .missingFile(folder: urls[0].relativePath, lookedFor: names)
        }
        return file.map { [$0] }
    }

    /// The documents of files, in order; those of white space alone are left out.
    /// - Throws: ``TaskDataError`` for a file that cannot be read, is not UTF-8 or has no text.
    public func documents(in files: [URL]) throws(TaskDataError) -> [String] {
        var documents: [String] = []
        for file in files {
            let texts = split(try Self.text(of: file))
            guard !texts.isEmpty else { throw .noText(path: file.relativePath) }
            documents += texts
        }
        return documents
    }

    /// A file as it stands, with its line ends; a byte order mark is no text.
    static func text(of file: URL) throws(TaskDataError) -> String {
        let bytes = try TaskFile.bytes(of: file)
        return try TaskFile.text(of: TaskFile.body(of: bytes), path: file.relativePath)
    }

    /// Lines end at "\n", with or without "\r" before it, and at nothing else.
    private func split(_ text: String) -> [String] {
        if unit == .file { return text.isBlank ? [] : [text] }
        let lines = text.utf8.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).map { line in
            String(
                decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        if unit == .line { return lines.filter { !$0.isBlank } }
        return lines.split(whereSeparator: \.isBlank).map { $0.joined(separator: "\n") }
    }
}

extension String {
    fileprivate var isBlank: Bool { unicodeScalars.allSatisfy(\.properties.isWhitespace) }
}
