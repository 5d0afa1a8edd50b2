/// The rewriting rules that `sentencepiece` compiles into a model, `precompiled_charsmap`: short
/// texts, each with what replaces it.
///
/// The layout is the length of a trie in bytes, the trie (see `DoubleArray`), and the replacements,
/// each ended by a NUL; a value in the trie is where a replacement starts.
struct CharacterMap: Equatable, Sendable {
    private let trie: DoubleArray
    private let replacements: [UInt8]

    /// - Throws: what `damage` makes of a sentence, when an offset leads outside of the map.
    init<Failure: Error>(
        _ bytes: [UInt8], damage: (String) -> Failure
    ) throws(Failure) {
        func word(at index: Int) -> UInt32 {
            bytes[index..<index + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard bytes.count > 4, word(at: 0).isMultiple(of: 4), Int(word(at: 0)) < bytes.count - 4
        else {
            throw damage("its \(bytes.count) bytes have no room for the trie they announce")
        }
        let end = 4 + Int(word(at: 0))
        replacements = Array(bytes[end...])
        guard replacements.last == 0, String(validating: replacements, as: UTF8.self) != nil else {
            throw damage("its replacements are no UTF-8 that a NUL ends")
        }
        let starts = replacements
        trie = try DoubleArray(
            units: stride(from: 4, to: end, by: 4).map(word), valueLimit: replacements.count,
            damage: damage)
        for value in trie.values where UTF8.isContinuation(starts[value]) {
            throw damage("a replacement starts within a character, at byte \(value)")
        }
    }

    /// What replaces the longest rule that starts at `start`, and where that rule ends:
    /// `Normalizer::NormalizePrefix` of `sentencepiece`.
    func longestRule(
        in text: ArraySlice<Unicode.Scalar>, at start: Int
    ) -> (replacement: [Unicode.Scalar], end: Int)? {
        var longest: (value: Int, end: Int)?
        walk(text[start...]) { value, end in
            longest = (value, end)
            return true
        }
        return longest.map { (replacement(at: $0.value), $0.end) }
    }

    /// What replaces the shortest rule that `text` starts with, whatever follows it: `transform`
    /// of the crate `spm_precompiled`.
    func shortestRule(in text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        var shortest: Int?
        walk(text) { value, _ in
            shortest = value
            return false
        }
        return shortest.map(replacement)
    }

    /// Whether no rule takes a text that starts with this ASCII scalar and goes on in ASCII or ends.
    func leavesAlone(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value < 0x80, scalar.value > 0,
            let node = trie.child(of: trie.root, UInt8(scalar.value))
        else { return true }
        return !node.hasValue && (1..<0x80).allSatisfy { trie.child(of: node, $0) == nil }
    }

    /// Reports the rules that `text` starts with, the shortest first, while `body` asks for more.
    /// A NUL is in no rule.
    @inline(__always)
    private func walk(
        _ text: ArraySlice<Unicode.Scalar>, _ body: (_ value: Int, _ end: Int) -> Bool
    ) {
        var node = trie.root
        for index in text.indices {
            for byte in UTF8Bytes(text[index]) {
                guard byte != 0, let child = trie.child(of: node, byte) else { return }
                node = child
            }
            if node.hasValue, !body(trie.value(at: node), index + 1) { return }
        }
    }

    private func replacement(at start: Int) -> [Unicode.Scalar] {
        let bytes = replacements[start...].prefix { $0 != 0 }
        return Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }
}
