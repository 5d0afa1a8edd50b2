import Foundation
import Mutations

@testable import DualTokenization

/// Files of tokenizers, and what errors make of one of them.
enum MutatedFiles {
    static let bytePairs = #"""
        {"added_tokens":[{"id":6,"content":"<s>","single_word":false,"lstrip":true,"rstrip":false,
          "normalized":false,"special":true}],"normalizer":{"type":"ByteLevel"},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":
          "(?i:'s|'t)|[^\\s\\p{L}]?\\p{L}+|\\s+(?!\\S)|.{1,3}?"},"behavior":"Isolated","invert":false},
          {"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}]},
         "post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":
          "TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":
          {"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":
          {"id":"B","type_id":1}}],"special_tokens":{"<s>":{"id":"<s>","ids":[6],"tokens":["<s>"]}}}]},
         "decoder":{"type":"Sequence","decoders":[{"type":"WordPiece","prefix":"#","cleanup":true},
          {"type":"ByteLevel"}]},"model":{"type":"BPE","dropout":null,"unk_token":"?","fuse_unk":true,
          "byte_fallback":true,"continuing_subword_prefix":null,"end_of_word_suffix":"",
          "ignore_merges":true,"vocab":{"a":0,"b":1,"c":2,"ab":3,"\u0120":4,"?":5},
          "merges":[["a","b"]]}}
        """#

    static let wordPieces = #"""
        {"added_tokens":[{"id":9,"content":"[CLS]","single_word":true,"lstrip":false,"rstrip":true,
          "normalized":true,"special":true}],"normalizer":{"type":"Sequence","normalizers":[
          {"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
          "lowercase":true},{"type":"Strip","strip_left":true,"strip_right":false},{"type":"Replace",
          "pattern":{"Regex":"(?<=a)b|c{2,3}"},"content":"é"}]},"pre_tokenizer":{"type":"Sequence",
          "pretokenizers":[{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":true},
          {"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"Isolated"}]},
         "post_processor":{"type":"BertProcessing","sep":["b",2],"cls":["[CLS]",0]},"decoder":
          {"type":"Strip","content":" ","start":1,"stop":1},"model":{"type":"WordPiece","unk_token":"?",
          "continuing_subword_prefix":"##","max_input_chars_per_word":100,
          "vocab":{"[CLS]":0,"a":1,"b":2,"##b":3,"?":4,"_":5}}}
        """#

    static let unigram = #"""
        {"added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":" "},
         "post_processor":null,"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},
          {"type":"Fuse"},{"type":"CTC","pad_token":"?","word_delimiter_token":"|","cleanup":true}]},
         "model":{"type":"Unigram","unk_id":0,"byte_fallback":true,
          "vocab":[["?",0.0],["a",-1.5],["b",-2],["ab",-2.25e0],["é",-12.123456789012345678901]]}}
        """#

    static let settings = #"""
        {"tokenizer_class":"GPT2Tokenizer","add_bos_token":true,"bos_token":"<s>","pad_token":{"__type":
          "AddedToken","content":"<pad>","lstrip":true,"rstrip":false,"single_word":false,"normalized":false},
         "image_token":"<im>","extra_special_tokens":["<x>"],"added_tokens_decoder":{"7":{"content":"<s>",
          "lstrip":false,"rstrip":false,"single_word":false,"normalized":false,"special":true}},
         "split_special_tokens":false,"model_specific_special_tokens":{"a":"b"},"do_lower_case":true}
        """#

    static let map =
        #"{"eos_token":"</s>","additional_special_tokens":["<y>",{"content":"<z>"}],"b_token":"b"}"#

    /// Folders, each with the files of a tokenizer.
    static var folders: [[String: [UInt8]]] {
        let beside = ["tokenizer_config.json": settings, "special_tokens_map.json": map]
        let vocabulary = #"{"a":0,"b":1,"ab":2,"\u0120":3,"<s>":4,"c":5}"#
        let own: [[String: String]] = [
            ["tokenizer.json": bytePairs], ["tokenizer.json": wordPieces],
            ["tokenizer.json": unigram],
            ["tokenizer.json": bytePairs].merging(beside) { first, _ in first },
            ["vocab.json": vocabulary, "merges.txt": "#version: 0.2\na b\n"].merging(beside) {
                first, _ in
                first
            },
            [
                "vocab.json": vocabulary, "merges.txt": "a b\n", "special_tokens_map.json": map,
                "added_tokens.json": #"{"<s>":7,"<é>":8}"#,
            ],
            ["vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n", "special_tokens_map.json": map],
        ]
        return own.map { $0.mapValues { Array($0.utf8) } }
    }

    private static let numbers = [
        "-1", "0", "1", "255", "256", "65536", "2147483647", "2147483648", "4294967295",
        "4294967296",
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e308", "1e999",
        "-0", "0.5",
        "100000", "99999999",
    ].map { Array($0.utf8) }
    private static let replacements = Array(#"{}[]",:\0129azé-"#.utf8)

    /// Bytes with one to three errors: bytes that are lost, others or twice there, numbers that are others.
    static func mutate(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let some = place..<min(place + Int.random(in: 1...20, using: &generator), bytes.count)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes.remove(at: place)
            case 1: bytes.removeSubrange(some)
            case 2: bytes[place] = replacements.randomElement(using: &generator) ?? 0
            case 3: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 4: bytes.insert(contentsOf: bytes[some], at: place)
            default: replaceNumber(&bytes, from: place, using: &generator)
            }
        }
        return bytes
    }

    /// Puts another number in the place of the next.
    private static func replaceNumber(
        _ bytes: inout [UInt8], from place: Int, using generator: inout SeededGenerator
    ) {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: numbers.randomElement(using: &generator) ?? [])
    }

    /// Loads a folder and uses what loads; whether it did.
    ///
    /// - Throws: any error that is no ``TokenizerError``.
    static func loads(_ folder: URL) throws -> Bool {
        do {
            let tokenizer = try Tokenizer.load(from: folder)
            _ = try tokenizer.encode("<s> ab'S  cé 12\n<pad> <im>", pair: "b")
            _ = tokenizer.decode([0, 3, 6, 4, 99, -1, 4_294_967_295, .max])
            return true
        } catch is TokenizerError {
            return false
        }
    }
}
