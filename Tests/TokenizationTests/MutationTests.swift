import Foundation
import Testing

@testable import DualTokenization

/// A generator of random numbers that gives the same ones every time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

@Suite struct MutationTests {
    private let file = #"""
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

    @Test("A file with an error anywhere loads or is refused, and what loads can be used")
    func mutatedFiles() throws {
        var generator = SeededGenerator(state: 1)
        var refused = 0
        let replacements = Array(#"{}[]",:\0129azé-"#.utf8)
        for _ in 0..<1500 {
            var bytes = Array(file.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes.removeSubrange(place..<min(place + 9, bytes.count))
                default:
                    bytes[place] = replacements.randomElement(using: &generator) ?? 0
                }
            }
            do {
                let tokenizer = try withFolder(["tokenizer.json": Data(bytes)]) {
                    try Tokenizer.load(from: $0)
                }
                _ = try tokenizer.encode("<s> ab'S  cé 12\n", pair: "b")
                _ = tokenizer.decode([0, 3, 6, 4, 99, -1])
            } catch is TokenizerError {
                refused += 1
            }
        }
        #expect(refused > 500)
    }

    @Test("Any pattern compiles or is refused, and one that compiles comes to an end")
    func randomPatterns() {
        var generator = SeededGenerator(state: 2)
        let parts = [
            "a", "b", "é", ".", "\\s", "\\p{L}", "\\W", "[", "]", "^", "$", "(", ")", "(?:", "(?=",
            "(?!", "(?<=", "(?<!", "(?>", "(?i)", "|", "*", "+", "?", "{2}", "{1,3}", "{,2}", "-",
            "&&", "\\b", "\\", "[^", "\\x{", "}", "[:alpha:]", "\\p{", "x", "#", " ", "(?x:",
        ]
        var compiled = 0
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 1...9, using: &generator))
                .compactMap { _ in parts.randomElement(using: &generator) }.joined()
            guard let expression = try? RegularExpression(pattern) else { continue }
            compiled += 1
            let found = expression.matches(in: "aab é\nbaaaab  A1-x")
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        }
        #expect(compiled > 1000)
    }
}
