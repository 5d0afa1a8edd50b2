import Foundation
import Testing

@testable import DualTokenization

@Suite struct BytePairTests {
    /// A `tokenizer.json` with a model of the given fields.
    private func json(
        vocabulary: String, merges: String, _ fields: String = "", added: String = "[]",
        preTokenizer: String = "null", decoder: String = "null"
    ) -> String {
        """
        {"added_tokens":\(added),"normalizer":null,"pre_tokenizer":\(preTokenizer),
         "post_processor":null,"decoder":\(decoder),
         "model":{"type":"BPE",\(fields)"vocab":\(vocabulary),"merges":\(merges)}}
        """
    }

    private func load(_ json: String) throws -> Tokenizer {
        try withFolder(["tokenizer.json": json]) { try Tokenizer.load(from: $0) }
    }

    private func message(_ files: [String: String]) throws -> String {
        try withFolder(files) { folder in
            do {
                _ = try Tokenizer.load(from: folder)
                return "loaded"
            } catch let error as TokenizerError {
                return error.description.replacingOccurrences(of: folder.path, with: "DIR")
            }
        }
    }

    private let vocabulary = #"{"a":0,"b":1,"c":2,"ab":3,"bc":4,"abc":5,"?":6}"#

    @Test(
        "The merge of the lowest rank comes first, and of these the leftmost",
        arguments: [
            (#"["a b","b c","ab c"]"#, "abc", [5]), (#"["b c","a b"]"#, "abc", [0, 4]),
            (#"[["b","c"],["a","bc"]]"#, "abcabc", [5, 5]), (#"["a b"]"#, "aabb", [0, 3, 1]),
        ])
    func mergesFollowTheirRanks(_ merges: String, _ text: String, _ ids: [Int]) throws {
        let tokenizer = try load(json(vocabulary: vocabulary, merges: merges))
        #expect(try tokenizer.encode(text).ids == ids)
    }

    @Test("An unknown character is dropped, unknown, or several one unknown")
    func unknownCharacters() throws {
        for (fields, ids) in [
            ("", [3, 2]), (#""unk_token":"?","#, [3, 6, 6, 2]),
            (#""unk_token":"?","fuse_unk":true,"#, [3, 6, 2]),
        ] {
            let tokenizer = try load(json(vocabulary: vocabulary, merges: #"["a b"]"#, fields))
            #expect(try tokenizer.encode("abxyc").ids == ids)
        }
    }

    @Test("A word that is a token needs no merges when they are ignored")
    func ignoredMerges() throws {
        let tokenizer = try load(
            json(vocabulary: vocabulary, merges: "[]", #""ignore_merges":true,"#))
        #expect(try tokenizer.encode("abc").ids == [5])
        #expect(try tokenizer.encode("abca").ids == [0, 1, 2, 0])
    }

    @Test("Faults are named")
    func faults() throws {
        #expect(
            try message(["tokenizer.json": json(vocabulary: vocabulary, merges: #"["a x"]"#)])
                == "DIR/tokenizer.json: 'model.merges[0]' is not usable: 'a' and 'x', or what they "
                + "merge to, are not in the vocabulary.")
        #expect(
            try message(["tokenizer.json": json(vocabulary: vocabulary, merges: #"["ab"]"#)])
                == "DIR/tokenizer.json: 'model.merges[0]' is not usable: 'ab' is not two tokens "
                + "with one space between them.")
        #expect(
            try message([
                "tokenizer.json": json(vocabulary: vocabulary, merges: "[]", #""dropout":0.1,"#)
            ]) == "DIR/tokenizer.json: 'model.dropout' is not usable: merges that drop out by "
                + "chance (0.1) are not supported.")
        #expect(
            try message([
                "tokenizer.json": json(vocabulary: vocabulary, merges: "[]", #""unk_token":"u","#)
            ]) == "DIR/tokenizer.json: the model.unk_token 'u' is not in the vocabulary; "
                + "add it there, or name a token that is.")
        #expect(
            try message([
                "vocab.json": vocabulary, "merges.txt": "#version: 0.2\na b\n\n",
            ]) == "DIR/merges.txt: 'merges[1]' is not usable: '' is not two tokens with one space "
                + "between them.")
        #expect(
            try message([
                "vocab.json": vocabulary, "merges.txt": "",
                "tokenizer_config.json": #"{"tokenizer_class":"CLIPTokenizer"}"#,
            ]) == "DIR/tokenizer_config.json: 'tokenizer_class' is 'CLIPTokenizer', which is not "
                + "supported; supported: GPT2Tokenizer, RobertaTokenizer.")
    }

    @Test("An unsupported pattern is quoted")
    func unsupportedPattern() throws {
        let split =
            #"{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated","invert":false}"#
        #expect(
            try message([
                "tokenizer.json": json(
                    vocabulary: vocabulary, merges: "[]", preTokenizer: split)
            ]) == #"DIR/tokenizer.json: 'pre_tokenizer.pattern.Regex' is not usable: "#
                + #"in the pattern '(a)\1' '\1' is not supported."#)
    }

    @Test("An unsupported decoder is named")
    func unsupportedDecoder() throws {
        #expect(
            try message([
                "tokenizer.json": json(
                    vocabulary: vocabulary, merges: "[]", decoder: #"{"type":"Magic"}"#)
            ]).hasPrefix("DIR/tokenizer.json: 'decoder.type' is 'Magic', which is not supported"))
    }

    @Test("Roles of tokens are read from either file, as strings or objects")
    func roles() throws {
        let added = #"""
            [{"id":7,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,
              "normalized":false,"special":true}]
            """#
        func load(_ more: String) throws -> Tokenizer {
            try withFolder([
                "tokenizer.json": json(vocabulary: vocabulary, merges: #"["a b"]"#, added: added),
                "tokenizer_config.json":
                    #"{"bos_token":{"content":"<s>"},"eos_token":null"# + more + "}",
                "special_tokens_map.json": #"{"bos_token":"a","eos_token":"c"}"#,
            ]) { try Tokenizer.load(from: $0) }
        }
        #expect(try load("").beginningOfTextID == 0)
        // Settings that list their added tokens are newer than any map.
        let tokenizer = try load(#","added_tokens_decoder":{}"#)
        #expect(tokenizer.beginningOfTextID == 7)
        #expect(tokenizer.endOfTextID == 2)
        #expect(tokenizer.isSpecial(7) && !tokenizer.isSpecial(2) && !tokenizer.isSpecial(99))
        #expect(tokenizer.decode([3, 7, 99, 2]) == "ab <s> c")
        #expect(tokenizer.decode([3, 7, 2], skippingSpecialTokens: true) == "ab c")
    }

    @Test("Many threads share a tokenizer")
    func threadsShare() async throws {
        let tokenizer = try load(
            json(
                vocabulary: vocabulary, merges: #"["a b","b c","ab c"]"#,
                preTokenizer: #"{"type":"WhitespaceSplit"}"#))
        let words = ["abc", "ab", "c", "aab", "bca"]
        let alone = try words.map { try tokenizer.encode($0).ids }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    try (0..<500).allSatisfy { step in
                        let word = (task + step) % words.count
                        return try tokenizer.encode(words[word]).ids == alone[word]
                    }
                }
            }
            for try await agrees in group { #expect(agrees) }
        }
    }
}
