import DualJSON
import Foundation

/// A tokenizer with more tokens than its folder has, and its files with them.
///
/// A token is found in a text wherever it stands, before the text is normalized, and is no special one:
/// `tokenizer.add_tokens([AddedToken(token, normalized=False)])` of transformers, as the families have
/// `<think>` and `<tool_call>`. One that the vocabulary has already keeps its id.
public struct ExtendedTokenizer: Sendable {
    /// A token that was added.
    public struct Token: Equatable, Sendable {
        public let text: String
        public let id: Int
        /// Whether the vocabulary had no such token.
        public let isNew: Bool
    }

    public let tokenizer: Tokenizer
    /// In the order in which they were given.
    public let tokens: [Token]
    private let files: [TokenizerFolderCopy.File]

    /// - Parameters:
    ///   - folder: of a tokenizer, which stays as it is.
    ///   - texts: of the tokens, each at least one character long; one that comes again is added once.
    /// - Throws: ``TokenizerError``, or an error of the file system.
    public init(extending folder: URL, with texts: [String]) throws {
        try self.init(extending: ModelFiles(folder: folder), with: texts)
    }

    /// The same of a model's files.
    public init(extending files: ModelFiles, with texts: [String]) throws {
        let base = try Tokenizer.load(from: files)
        let texts = texts.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        var next = base.vocabularySize
        var wanted: [Token] = []
        for text in texts {
            let known = base.id(for: text)
            wanted.append(Token(text: text, id: known ?? next, isNew: known == nil))
            if known == nil { next += 1 }
        }
        let copy = try TokenizerFolderCopy(of: files)
        let additions = { (tokens: [Token]) in tokens.filter { !base.isAdded($0.text) } }
        var files = try copy.files(adding: additions(wanted))
        var tokenizer = try Self.load(files)
        // Which ids are free is the reader's to say; those in the files are what comes of it.
        let numbered = wanted.map { token in
            Token(
                text: token.text, id: tokenizer.id(for: token.text) ?? token.id,
                isNew: token.isNew)
        }
        if numbered != wanted {
            files = try copy.files(adding: additions(numbered))
            tokenizer = try Self.load(files)
        }
        (self.tokenizer, self.files, tokens) = (tokenizer, files, numbered)
    }

    /// Reads the tokenizer of files that are in no folder yet.
    private static func load(_ files: [TokenizerFolderCopy.File]) throws -> Tokenizer {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for file in files { try file.write(to: folder) }
        return try Tokenizer.load(from: folder)
    }

    /// Writes the tokenizer's files into a folder.
    /// - Throws: an error of the file system.
    public func write(to folder: URL) throws {
        for file in files { try file.write(to: folder) }
    }
}

extension Tokenizer {
    /// Whether a token is found in a text as a whole.
    fileprivate func isAdded(_ text: String) -> Bool { addedTokens.id(for: text) != nil }

    /// How many tokens there are, added ones counted: transformers' `len(tokenizer)`.
    package var tokenCount: Int {
        model.vocabulary.count
            + addedTokens.tokens.values.count { model.vocabulary.id(for: $0.content) == nil }
    }

    /// The spellings of the added tokens, by ascending id.
    package var addedSpellings: [String] {
        addedTokens.tokens.sorted { $0.key < $1.key }.map(\.value.content)
    }

    /// Whether a folder has the files of a tokenizer.
    package static func isIn(_ folder: URL) -> Bool { isIn(ModelFiles(folder: folder)) }

    /// Whether there are the files of a tokenizer among a model's.
    package static func isIn(_ files: ModelFiles) -> Bool {
        files.has("tokenizer.json") || files.has("vocab.txt") || files.has("tokenizer.model")
            || files.has(BytePairFiles.mergesName) && files.has(BytePairFiles.vocabularyName)
    }
}
