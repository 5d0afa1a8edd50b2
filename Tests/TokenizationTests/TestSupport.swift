import Foundation
import Testing

@testable import DualTokenization

/// Real output of `tokenizers`, written by Tests/Parity/make_tokenizer_goldens.py, together with
/// the small tokenizer that it comes from.
struct Golden: Decodable {
    struct Case: Decodable {
        let text: String
        let pair: String?
        let special: Bool
        let limit: Int?
        let ids: [Int]
        let typeIDs: [Int]
        let tokens: [String]
    }

    let files: [String: String]
    let cases: [Case]

    static func url(_ name: String) throws -> URL {
        try #require(Bundle.module.url(forResource: "Goldens", withExtension: nil))
            .appendingPathComponent(name)
    }

    init(_ name: String) throws {
        let data = try Data(contentsOf: Golden.url("\(name).json"))
        self = try JSONDecoder().decode(Golden.self, from: data)
    }

    func tokenizer() throws -> Tokenizer {
        try withFolder(files) { try Tokenizer.load(from: $0) }
    }
}

/// Writes files into a new folder, which is gone after `body`.
func withFolder<Result>(_ files: [String: String], _ body: (URL) throws -> Result) throws -> Result
{
    try withFolder(files.mapValues { Data($0.utf8) }, body)
}

func withFolder<Result>(_ files: [String: Data], _ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("tokenizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, data) in files { try data.write(to: folder.appendingPathComponent(name)) }
    return try body(folder)
}

/// A `tokenizer.json` with the given vocabulary and fields, for tests of one detail.
func tokenizerJSON(
    vocabulary: String = ###"{"[UNK]":0,"a":1,"##b":2}"###, added: String = "[]",
    normalizer: String = "null", preTokenizer: String = #"{"type":"BertPreTokenizer"}"#,
    processor: String = "null", modelType: String = "WordPiece"
) -> String {
    """
    {"version":"1.0","truncation":{"max_length":1},"padding":{"pad_id":9},"added_tokens":\(added),
     "normalizer":\(normalizer),"pre_tokenizer":\(preTokenizer),"post_processor":\(processor),
     "decoder":null,"model":{"type":"\(modelType)","unk_token":"[UNK]",
     "continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":\(vocabulary)}}
    """
}

/// Whether two strings have the same scalars, which `==` on `String` does not ask.
func areIdentical(_ a: [String], _ b: [String]) -> Bool {
    a.count == b.count
        && zip(a, b).allSatisfy { $0.unicodeScalars.elementsEqual($1.unicodeScalars) }
}

extension TokenDecoder {
    /// What the tokens become; the text is what they join to.
    func decode(_ tokens: [String]) -> [String] {
        var stream = makeStream()
        var parts: [TokenPart] = []
        for token in tokens { stream.append(TokenPart(text: token, endsToken: true), to: &parts) }
        stream.finish(&parts)
        return parts.joinedTokens
    }
}

extension [TokenPart] {
    /// The tokens that the parts make up.
    var joinedTokens: [String] {
        var tokens: [String] = []
        var partial: String?
        for part in self {
            partial = (partial ?? "") + part.text
            if part.endsToken, let token = partial {
                tokens.append(token)
                partial = nil
            }
        }
        if let partial { tokens.append(partial) }
        return tokens
    }
}

extension Words {
    /// The words as slices.
    var slices: [ArraySlice<Unicode.Scalar>] { ranges.map { scalars[$0] } }
}

extension RegularExpression {
    /// All matches in a text.
    func matches(in text: String, steps: Int? = nil) throws -> [Range<Int>] {
        let scalars = Array(text.unicodeScalars)
        return try withMatcher(over: scalars, steps: steps) { matcher in
            var found: [Range<Int>] = []
            matcher.forEachMatch(in: 0..<scalars.count) { found.append($0) }
            return found
        }
    }
}
