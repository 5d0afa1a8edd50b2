import DualTokenization
import Foundation
import TestSupport
import Testing

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// What of an example is learnt, where tokens do not end with the prompt.
@Suite struct TokenSpansTests {
    /// A byte-level tokenizer as GPT-2's is, whose vocabulary has these merges.
    private func byteLevel(_ merges: [(String, String)]) throws -> Tokenizer {
        let alphabet = Array(33...126) + Array(161...172) + Array(174...255)
        var characters = alphabet.map { String(UnicodeScalar(UInt8($0))) }
        for value in 256..<324 { characters.append(UnicodeScalar(value).map(String.init) ?? "") }
        let spellings = characters + merges.map { $0 + $1 }
        let fields: [String: Any] = [
            "model": [
                "type": "BPE", "merges": merges.map { [$0, $1] },
                "vocab": Dictionary(uniqueKeysWithValues: spellings.enumerated().map { ($1, $0) }),
            ],
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true],
            "decoder": ["type": "ByteLevel"],
        ]
        return try load(fields)
    }

    /// Words whose spaces are visible, as LLaMA's: a space is put before the text.
    private func metaspace(_ words: [String], lowercased: Bool = false) throws -> Tokenizer {
        var fields: [String: Any] = [
            "model": [
                "type": "Unigram", "unk_id": 0,
                "vocab": [["<unk>", 0] as [Any]] + words.map { [$0, -1.0] as [Any] },
            ],
            "pre_tokenizer": ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"],
            "decoder": ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"],
        ]
        if lowercased { fields["normalizer"] = ["type": "Lowercase"] }
        return try load(fields)
    }

    private func load(_ fields: [String: Any]) throws -> Tokenizer {
        let folder = try TemporaryFolder()
        try folder.write(JSONSerialization.data(withJSONObject: fields), to: "tokenizer.json")
        return try Tokenizer.load(from: folder.url)
    }

    /// The tokens that are learnt of a prompt and an answer.
    private func learnt(
        _ prompt: String, _ answer: String, _ tokenizer: Tokenizer
    ) throws -> [String] {
        let text = LearntText(
            parts: [.init(text: prompt, isLearnt: false), .init(text: answer, isLearnt: true)],
            isFramed: true, isEnded: false)
        let example = try text.encode(with: tokenizer)
        return zip(example.ids, example.isTrained).filter(\.1).map {
            tokenizer.token(for: $0.0) ?? ""
        }
    }

    @Test("Tokens of the prompt alone are not learnt where the prompt by itself has others")
    func promptEndsInLines() throws {
        // "\n\n" is one token at a text's end, and two before a word.
        let tokenizer = try byteLevel([("Ċ", "Ċ")])
        #expect(try learnt("a\n\n", "Yes", tokenizer) == ["Y", "e", "s"])
        #expect(try learnt("a ", "b", tokenizer) == ["b"])
        #expect(try learnt("a\n", "\nb", tokenizer) == ["Ċ", "b"])
    }

    @Test("A token with letters of the answer is learnt, and so is each byte of its characters")
    func sharedTokens() throws {
        let tokenizer = try byteLevel([("a", "b"), ("Ġ", "b")])
        #expect(try learnt("xa", "bc", tokenizer) == ["ab", "c"])
        #expect(try learnt("x ", "b", tokenizer) == ["Ġb"])
        #expect(try learnt("é", "é", tokenizer) == ["Ã", "©"])
    }

    @Test("A prompt that ends within a word of visible spaces is not learnt with it")
    func visibleSpaces() throws {
        let tokenizer = try metaspace(["▁", "▁the", "▁th", "e", "▁sea", "s", "ea", "t", "h"])
        #expect(try learnt("the sea the", " sea", tokenizer) == ["▁sea"])
        #expect(try learnt("the se", "a the", tokenizer) == ["▁sea", "▁the"])
    }

    @Test("Where a tokenizer rewrites letters, what the prompt's tokens begin with is not learnt")
    func rewrittenLetters() throws {
        let tokenizer = try metaspace(["▁the", "▁sea"], lowercased: true)
        #expect(try learnt("THE", " SEA", tokenizer) == ["▁sea"])
    }
}
