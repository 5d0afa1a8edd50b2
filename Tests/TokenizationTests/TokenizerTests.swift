import Foundation
import Testing

@testable import DualTokenization

@Suite struct TokenizerTests {
    private func load(_ json: String, settings: String? = nil) throws -> Tokenizer {
        var files = ["tokenizer.json": json]
        files["tokenizer_config.json"] = settings
        return try withFolder(files) { try Tokenizer.load(from: $0) }
    }

    @Test("Precomposed and decomposed spellings are two tokens")
    func spellingsStayApart() throws {
        let tokenizer = try load(
            tokenizerJSON(vocabulary: #"{"[UNK]":0,"\u00e9":1,"e\u0301":2,"é":1}"#))
        #expect(tokenizer.id(for: "\u{e9}") == 1)
        #expect(tokenizer.id(for: "e\u{301}") == 2)
        #expect(try tokenizer.encode("e\u{301} \u{e9}").ids == [2, 1])
    }

    @Test("A line end of CR LF separates words though Swift takes it for one character")
    func carriageReturnsSeparate() throws {
        let tokenizer = try load(tokenizerJSON())
        #expect(try tokenizer.encode("a\r\na").ids == [1, 1])
    }

    @Test("The file's own truncation and padding are ignored")
    func ownTruncationIsIgnored() throws {
        #expect(try load(tokenizerJSON()).encode("a a a").ids == [1, 1, 1])
    }

    @Test("Escapes in the vocabulary are resolved")
    func escapesAreResolved() throws {
        let tokenizer = try load(
            tokenizerJSON(vocabulary: #"{"[UNK]":0,"\"":1,"\\":2,"\/":3,"\ud83d\ude00":4,"\t":5}"#))
        #expect(try tokenizer.encode(#""\/"#).ids == [1, 2, 3])
        #expect(["\"", "\\", "/", "😀", "\t"].map(tokenizer.id(for:)) == [1, 2, 3, 4, 5])
    }

    @Test("Sizes, spellings and the padding id count added tokens")
    func lookupsCountAddedTokens() throws {
        let added = #"""
            [{"id":7,"content":"<new>","single_word":false,"lstrip":false,"rstrip":false,
              "normalized":false,"special":true}]
            """#
        let tokenizer = try load(tokenizerJSON(added: added), settings: #"{"pad_token":"<new>"}"#)
        // tokenizers numbers an added token itself: the first id behind the vocabulary.
        #expect(tokenizer.vocabularySize == 4)
        #expect(tokenizer.id(for: "<new>") == 3)
        #expect(tokenizer.token(for: 3) == "<new>")
        #expect(tokenizer.token(for: 2) == "##b")
        #expect(tokenizer.token(for: 4) == nil)
        #expect(tokenizer.paddingID == 3)
        #expect(try tokenizer.encode("ab<new>a").ids == [1, 2, 3, 1])
    }

    @Test("Without a padding token the padding id is 0")
    func paddingDefaultsToZero() throws {
        #expect(try load(tokenizerJSON()).paddingID == 0)
    }

    @Test("Ids may have gaps")
    func idsMayHaveGaps() throws {
        let added = #"""
            [{"id":0,"content":"[UNK]","single_word":false,"lstrip":false,"rstrip":false,
              "normalized":false,"special":true}]
            """#
        let tokenizer = try load(
            tokenizerJSON(vocabulary: #"{"[UNK]":4294967295,"a":3}"#, added: added))
        #expect(tokenizer.vocabularySize == 4_294_967_296)
        #expect(try tokenizer.encode("a b[UNK]").ids == [3, 4_294_967_295, 4_294_967_295])
    }

    @Test("A maximum length below the special tokens is refused")
    func shortMaximumIsRefused() throws {
        let tokenizer = try Golden("uncased").tokenizer()
        #expect(throws: TokenizerError.maximumLengthTooSmall(maximum: 2, specialTokens: 3)) {
            try tokenizer.encode("a", pair: "b", maximumLength: 2)
        }
        #expect(try tokenizer.encode("a", pair: "b", maximumLength: 3).ids == [2, 3, 3])
        #expect(
            try tokenizer.encode("a", addingSpecialTokens: false, maximumLength: 0).ids.isEmpty)
    }

    @Test("Special tokens in the settings may be objects, and more may be added")
    func settingsMayHoldObjects() throws {
        let flags = #""single_word":false,"rstrip":false,"normalized":false,"special":true"#
        let settings = """
            {"mask_token":{"content":"<m>","lstrip":true,"__type":"AddedToken"},
             "strip_accents":null,"added_tokens_decoder":{"5":{"content":"<x>","lstrip":false,\(flags)}}}
            """
        let tokenizer = try withFolder([
            "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n<m>", "tokenizer_config.json": settings,
        ]) { try Tokenizer.load(from: $0) }
        #expect(try tokenizer.encode("  <m><x>").ids == [2, 4, 5, 3])
        #expect(tokenizer.vocabularySize == 6)
    }
}
