import Foundation
import Testing

@testable import DualTokenization

/// The bytes of a character map: a trie built the simple way, each node in a block of its own.
struct CharacterMapBuilder {
    private var units = [UInt32](repeating: 0, count: 256)
    private var bases: [[UInt8]: Int] = [:]
    private var replacements: [UInt8] = []

    /// `rules` are texts and what replaces them.
    static func bytes(_ rules: [String: String]) -> [UInt8] {
        var builder = CharacterMapBuilder()
        builder.build(rules.map { (Array($0.key.utf8), Array($0.value.utf8)) })
        var bytes = Self.word(UInt32(4 * builder.units.count))
        for unit in builder.units { bytes += word(unit) }
        return bytes + builder.replacements
    }

    static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private mutating func build(_ rules: [([UInt8], [UInt8])]) {
        let prefixes = Set(rules.flatMap { rule in (0...rule.0.count).map { rule.0.prefix($0) } })
        for (number, prefix) in prefixes.enumerated() { bases[Array(prefix)] = 256 * (number + 1) }
        units += Array(repeating: 0, count: 256 * prefixes.count)
        for (prefix, base) in bases {
            let index = index(of: prefix)
            units[index] = UInt32(prefix.last ?? 0) | UInt32(index ^ base) << 10
        }
        for (rule, replacement) in rules { end(rule, replacement) }
    }

    private func index(of prefix: [UInt8]) -> Int {
        prefix.last.map { (bases[prefix.dropLast()] ?? 0) ^ Int($0) } ?? 0
    }

    private mutating func end(_ rule: [UInt8], _ replacement: [UInt8]) {
        let base = bases[rule] ?? 0
        units[index(of: rule)] |= 0x100
        units[base] = 1 << 31 | UInt32(replacements.count)
        replacements += replacement + [0]
    }
}

@Suite struct CharacterMapTests {
    private struct Damage: Error, Equatable {
        let reason: String
    }

    private func map(_ bytes: [UInt8]) throws -> CharacterMap {
        try CharacterMap(bytes) { Damage(reason: $0) }
    }

    private func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

    @Test("sentencepiece takes the longest rule, tokenizers the shortest within a cluster")
    func bothReadings() throws {
        let map = try map(
            CharacterMapBuilder.bytes(["e": "E", "e\u{301}": "é", "ab": "x", "a": "y"]))
        let longest = SentencePieceNormalizer(
            SentencePieceFile.Normalization(addsDummyPrefix: false),
            treatsWhitespaceAsSuffix: false, map: map, symbols: nil, prefixesEverySegment: true)
        let clusters = PrecompiledNormalizer(map)
        // The cluster e + U+0301 starts with the rule for "e", which replaces all of it.
        #expect(longest.normalize(scalars("e\u{301}eab")) == scalars("éEx"))
        #expect(clusters.normalize(scalars("e\u{301}eab")) == scalars("EEyb"))
        // A cluster of six bytes is looked up scalar by scalar.
        #expect(
            clusters.normalize(scalars("e\u{301}\u{20D0}")) == scalars("E\u{301}\u{20D0}"))
    }

    @Test("Offsets that lead outside are refused")
    func bounds() throws {
        let good = CharacterMapBuilder.bytes(["ab": "x"])
        _ = try map(good)
        func reason(_ bytes: [UInt8]) -> String {
            do {
                _ = try map(bytes)
                return "read"
            } catch {
                return (error as? Damage)?.reason ?? "\(error)"
            }
        }
        #expect(reason([]) == "its 0 bytes have no room for the trie they announce")
        #expect(reason([0, 4, 0, 0, 0]).contains("no room for the trie"))
        #expect(reason(Array(good.dropLast())).contains("that a NUL ends"))
        #expect(reason([4, 0, 0, 0, 1, 2, 3, 4, 0]).contains("no blocks of 256"))
        var far = good
        far.replaceSubrange(4..<8, with: CharacterMapBuilder.word(0x7FFF_FC00))
        #expect(reason(far).contains("unit 0 of its trie points to unit"))
    }

    @Test("Changed bytes never lead outside of a map")
    func changedBytes() throws {
        let good = CharacterMapBuilder.bytes(["ab": "x", "é": "e", "a": "", "中文": "zw"])
        var dice = SplitMix(state: 7)
        let text = scalars("ab aé中文中 \u{0}xyz")
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<dice.next(below: 4) + 1 {
                bytes[dice.next(below: bytes.count)] = UInt8(dice.next(below: 256))
            }
            guard let map = try? map(bytes) else { continue }
            _ = PrecompiledNormalizer(map).normalize(text)
        }
    }

    @Test("Clusters end where unicode-segmentation ends them")
    func clusters() {
        func lengths(_ text: String) -> [Int] {
            let scalars = scalars(text)
            var lengths: [Int] = []
            var start = 0
            while start < scalars.count {
                let end = GraphemeClusters.end(of: scalars, from: start)
                lengths.append(end - start)
                start = end
            }
            return lengths
        }
        #expect(lengths("a\r\nb\n\r") == [1, 2, 1, 1, 1])
        #expect(lengths("e\u{301}\u{323}x中文") == [3, 1, 1, 1])
        #expect(lengths("👩\u{200D}👧🇩🇪🇫🇷") == [3, 2, 2])
        #expect(lengths("a" + String(repeating: "\u{301}", count: 100) + "b") == [101, 1])
    }
}
