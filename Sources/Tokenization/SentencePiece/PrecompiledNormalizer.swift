import Foundation

/// `Precompiled` of `tokenizers` (`normalizers/precompiled.rs`): a character map as that library
/// applies it, which is not as `sentencepiece` does.
///
/// A grapheme cluster of fewer than six bytes that starts with a rule is replaced as a whole by
/// what replaces the shortest such rule, the rest of the cluster lost. Otherwise each scalar by
/// itself is looked up.
struct PrecompiledNormalizer: Normalizer, Decodable {
    private let map: CharacterMap
    /// What becomes of each ASCII scalar that stands alone; nil where it stays.
    private let ascii: [[Unicode.Scalar]?]

    init(_ map: CharacterMap) {
        self.map = map
        ascii = (0..<0x80).map { map.shortestRule(in: [Unicode.Scalar(UInt8($0))]) }
    }

    private enum CodingKeys: String, CodingKey { case precompiled_charsmap }

    /// The map is spelled in base 64.
    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func refuse(_ reason: String) -> DecodingError {
            .dataCorruptedError(
                forKey: .precompiled_charsmap, in: values, debugDescription: reason)
        }
        let text = try values.decode(String.self, forKey: .precompiled_charsmap)
        guard let data = Data(base64Encoded: text) else { throw refuse("it is not base 64") }
        self.init(try CharacterMap([UInt8](data), damage: refuse))
    }

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count + text.count / 8)
        var start = 0
        while start < text.count {
            let end = GraphemeClusters.end(of: text, from: start)
            defer { start = end }
            if end - start > 1, let replacement = replacement(of: text[start..<end]) {
                result += replacement
                continue
            }
            for scalar in text[start..<end] { append(scalar, to: &result) }
        }
        return result
    }

    /// `tokenizers` matches what is replaced and what replaces it from the left, and lets the last
    /// scalar before make up for what is left over.
    func opening(_ opening: Int, of text: [Unicode.Scalar]) -> Int {
        guard opening > 0 else { return 0 }
        /// How many old scalars each new one stands for.
        var taken: [Int] = []
        func replace(_ old: Int, by new: Int) {
            taken += repeatElement(1, count: min(old, new))
            taken += repeatElement(0, count: max(0, new - old))
            if old > new, let last = taken.indices.last { taken[last] += old - new }
        }
        var start = 0
        while start < text.count {
            let end = GraphemeClusters.end(of: text, from: start)
            defer { start = end }
            if end - start > 1, let replacement = replacement(of: text[start..<end]) {
                replace(end - start, by: replacement.count)
                continue
            }
            for scalar in text[start..<end] {
                var new: [Unicode.Scalar] = []
                append(scalar, to: &new)
                replace(1, by: new.count)
            }
        }
        var position = 0
        return taken.prefix { count in
            // One without an old scalar of its own stands where the one before does.
            let place = count == 0 ? max(0, position - 1) : position
            position += count
            return place < opening
        }.count
    }

    private func replacement(of cluster: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        guard cluster.count < 6, cluster.reduce(0, { $0 + UTF8.width($1) }) < 6 else { return nil }
        return map.shortestRule(in: cluster)
    }

    private func append(_ scalar: Unicode.Scalar, to result: inout [Unicode.Scalar]) {
        let replacement =
            scalar.value < 0x80 ? ascii[Int(scalar.value)] : map.shortestRule(in: [scalar])
        if let replacement { result += replacement } else { result.append(scalar) }
    }
}
