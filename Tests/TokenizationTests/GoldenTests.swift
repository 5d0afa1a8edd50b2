import Foundation
import Testing

@testable import DualTokenization

@Suite struct GoldenTests {
    @Test(
        "Encodes as tokenizers does",
        arguments: [
            "uncased", "cased", "accented-joined", "prefix", "added", "truncation",
            "vocabulary-file",
        ])
    func encodesAsTokenizersDoes(_ name: String) throws {
        let golden = try Golden(name)
        let tokenizer = try golden.tokenizer()
        #expect(golden.cases.count > 20)
        for row in golden.cases {
            let found = try tokenizer.encode(
                row.text, pair: row.pair, addingSpecialTokens: row.special,
                maximumLength: row.limit)
            let place: Comment = "\(row.text.debugDescription), pair \(row.pair ?? "none")"
            #expect(found.ids == row.ids, place)
            #expect(found.typeIDs == row.typeIDs, place)
            #expect(areIdentical(found.tokens, row.tokens), place)
        }
    }
}

/// A block of 4096 scalars and, per normalizer or pre-tokenizer, a hash of what `tokenizers`
/// makes of all of them in context.
struct ScalarBlock: Decodable, CustomTestStringConvertible {
    let start: UInt32
    let hashes: [String: String]

    var testDescription: String { "U+" + String(start, radix: 16, uppercase: true) }

    /// As CONTEXTS in the generator.
    var text: [Unicode.Scalar] {
        (start..<start + 0x1000).compactMap(Unicode.Scalar.init).flatMap { scalar in
            ["a", scalar, "b", " ", "e", "\u{301}", scalar, "\u{323}", " "]
        }
    }

    static let all: [ScalarBlock] =
        (try? JSONDecoder().decode(
            [ScalarBlock].self, from: Data(contentsOf: Golden.url("scalars/scalars.json")))) ?? []
}

@Suite struct EveryScalarTests {
    static let normalizers: [String: any Normalizer] = [
        "uncased": BertNormalizer(),
        "cased": BertNormalizer(lowercases: false),
        "accented": BertNormalizer(stripsAccents: false),
        "lowercase": Lowercase(),
        "strip": StripAccents(),
        "nfd": UnicodeNormalization(form: .nfd),
        "nfc": UnicodeNormalization(form: .nfc),
        "nfkd": UnicodeNormalization(form: .nfkd),
        "nfkc": UnicodeNormalization(form: .nfkc),
    ]

    static let preTokenizers: [String: any PreTokenizer] = [
        "bert": BertPreTokenizer(), "word": Whitespace(),
    ]

    @Test("The golden file is there")
    func theGoldenFileIsThere() {
        #expect(ScalarBlock.all.count == 37)
    }

    @Test("Every scalar is normalized and split as tokenizers does", arguments: ScalarBlock.all)
    func everyScalarIsTreatedAsTokenizersDoes(_ block: ScalarBlock) throws {
        let text = block.text
        for (name, normalizer) in Self.normalizers {
            #expect(try fnv1a(normalizer.normalize(text)) == block.hashes[name], "\(name)")
        }
        for (name, preTokenizer) in Self.preTokenizers {
            var words = Words(text)
            try preTokenizer.split(&words)
            let lines = Array(words.slices.joined(separator: ["\n"]))
            #expect(fnv1a(lines) == block.hashes[name], "\(name)")
        }
    }

    /// The 64-bit FNV-1a hash of the UTF-8 form.
    private func fnv1a(_ text: [Unicode.Scalar]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in String(scalars: text).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
