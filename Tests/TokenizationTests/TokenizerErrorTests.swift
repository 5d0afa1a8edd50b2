import Foundation
import Testing

@testable import DualTokenization

@Suite struct TokenizerErrorTests {
    /// Loads a folder that must fail and returns the message, the folder's path left out.
    private func message(_ files: [String: Data]) throws -> String {
        try withFolder(files) { folder in
            do {
                _ = try Tokenizer.load(from: folder)
                return "loaded"
            } catch let error as TokenizerError {
                return error.description.replacingOccurrences(of: folder.path, with: "DIR")
            }
        }
    }

    private func message(json: String) throws -> String {
        try message(["tokenizer.json": Data(json.utf8)])
    }

    @Test("An empty folder is told what is missing")
    func emptyFolder() throws {
        #expect(
            try message([:])
                == "DIR has no tokenizer.json and no vocab.json with merges.txt and no vocab.txt "
                + "and no tokenizer.model; one is needed.")
    }

    @Test("Bytes that are no UTF-8 are refused", arguments: ["tokenizer.json", "vocab.txt"])
    func badUTF8(_ name: String) throws {
        #expect(
            try message([name: Data([0x61, 0xFF, 0x0A])])
                == "DIR/\(name) is not valid UTF-8; save it again as UTF-8 text.")
    }

    @Test(
        "Text that is no JSON is refused",
        arguments: [
            "", "{", "[]x", #"{"model": {"vocab": {"a" 1}}}"#, #"{"model": {"vocab": {"a": 1"#,
            #"{"model": {"vocab": {"\ud800": 1}}}"#, #"{"model": {"vocab": {"\u00+1": 1}}}"#,
            #"{"model": {"vocab": {"a": 1,}}}"#, #"{"model": {"vocab": {"a": "b"#,
            #"{"model": {"vocab": {}}, "x": nope}"#, #"{"model": {"vocab": {"\"#,
            "{\"a\": [\u{1}]}", #"{"a": ["#, #"{"a": }"#,
        ])
    func badJSON(_ json: String) throws {
        #expect(try message(json: json).hasPrefix("DIR/tokenizer.json is not valid JSON: "))
    }

    @Test("A missing field is named by its path")
    func missingFields() throws {
        #expect(try message(json: "{}") == "DIR/tokenizer.json lacks the field 'model'.")
        #expect(
            try message(json: #"{"model":{"type":"WordPiece","vocab":{"a":0}}}"#)
                == "DIR/tokenizer.json lacks the field 'model.unk_token'.")
        #expect(
            try message(json: tokenizerJSON(normalizer: #"{"type":"Sequence","normalizers":[{}]}"#))
                == "DIR/tokenizer.json lacks the field 'normalizer.normalizers[0].type'.")
    }

    @Test("An unsupported stage is named with what is supported")
    func unsupportedStages() throws {
        #expect(
            try message(json: tokenizerJSON(modelType: "WordLevel"))
                == "DIR/tokenizer.json: 'model.type' is 'WordLevel', which is not supported; "
                + "supported: BPE, Unigram, WordPiece.")
        #expect(
            try message(
                json: tokenizerJSON(
                    preTokenizer:
                        #"{"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"}]}"#))
                == "DIR/tokenizer.json: 'pre_tokenizer.pretokenizers[0].type' is 'UnicodeScripts', "
                + "which is not supported; supported: BertPreTokenizer, ByteLevel, "
                + "CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, "
                + "Whitespace, WhitespaceSplit.")
        #expect(
            try message(json: tokenizerJSON(processor: #"{"type":"Bytes"}"#))
                == "DIR/tokenizer.json: 'post_processor.type' is 'Bytes', which is not "
                + "supported; supported: BertProcessing, ByteLevel, RobertaProcessing, Sequence, "
                + "TemplateProcessing.")
    }

    @Test("A value of the wrong kind is named")
    func wrongKinds() throws {
        #expect(
            try message(json: tokenizerJSON(normalizer: #"{"type":7}"#))
                == "DIR/tokenizer.json: 'normalizer.type' is of another kind, "
                + "but should be a string.")
    }

    @Test(
        "Ids must be whole, in range, and different", arguments: ["-1", "1.5", "4294967296", "{}"])
    func badIDs(_ id: String) throws {
        #expect(
            try message(json: tokenizerJSON(vocabulary: #"{"[UNK]":\#(id)}"#))
                == "DIR/tokenizer.json: 'model.vocab.[UNK]' is \(id), "
                + "but should be an integer from 0 to 4294967295.")
    }

    @Test("Two tokens with one id are refused")
    func duplicateIDs() throws {
        #expect(
            try message(json: tokenizerJSON(vocabulary: #"{"[UNK]":0,"a":1,"b":1}"#))
                == "DIR/tokenizer.json: 'a' and 'b' have the same id 1; ids must differ.")
    }

    @Test("A vocabulary must have tokens, the unknown token among them")
    func poorVocabularies() throws {
        #expect(
            try message(json: tokenizerJSON(vocabulary: "{}"))
                == "DIR/tokenizer.json: the vocabulary in 'model.vocab' has no token.")
        #expect(
            try message(json: tokenizerJSON(vocabulary: #"{"a":0}"#))
                == "DIR/tokenizer.json: the model.unk_token '[UNK]' is not in the vocabulary; "
                + "add it there, or name a token that is.")
        #expect(
            try message(["vocab.txt": Data()]) == "DIR/vocab.txt: the vocabulary has no token.")
        #expect(
            try message(["vocab.txt": Data("[UNK]\n[CLS]".utf8)])
                == "DIR/vocab.txt: the sep_token '[SEP]' is not in the vocabulary; "
                + "add it there, or name a token that is.")
    }

    @Test("A template may only use what it defines")
    func badTemplates() throws {
        let special = #"[{"SpecialToken":{"id":"[X]","type_id":0}}]"#
        #expect(
            try message(
                json: tokenizerJSON(
                    processor:
                        #"{"type":"TemplateProcessing","special_tokens":{},"pair":[],"single":"#
                        + special + "}"))
                == "DIR/tokenizer.json: 'post_processor.single' is not usable: "
                + "'[X]' is not among the special_tokens.")
    }
}
