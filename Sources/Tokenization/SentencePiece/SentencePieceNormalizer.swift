/// `Normalizer` of `sentencepiece` (`normalizer.cc`): rewrites a text by the model's rules, always
/// the longest that fits, and makes white space visible as U+2581.
struct SentencePieceNormalizer: Normalizer {
    static let space: Unicode.Scalar = "\u{2581}"

    private let rules: SentencePieceFile.Normalization
    private let treatsWhitespaceAsSuffix: Bool
    /// Whether a space is put before text behind a special token, as before the start.
    private let prefixesEverySegment: Bool
    private let map: CharacterMap?
    /// Symbols that no rule changes.
    private let symbols: ScalarTrie?
    /// Whether an ASCII scalar stays as it is, unless what follows it is beyond ASCII.
    private let staysPlain: [Bool]

    init(
        _ rules: SentencePieceFile.Normalization, treatsWhitespaceAsSuffix: Bool,
        map: CharacterMap?, symbols: ScalarTrie?, prefixesEverySegment: Bool
    ) {
        self.prefixesEverySegment = prefixesEverySegment
        self.rules = rules
        self.treatsWhitespaceAsSuffix = treatsWhitespaceAsSuffix
        self.map = map
        self.symbols = symbols
        staysPlain = (0..<0x80).map { value in
            let scalar = Unicode.Scalar(UInt8(value))
            return scalar != " " && map?.leavesAlone(scalar) != false
                && symbols?.node(for: [scalar]) == nil
        }
    }

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        normalize(text, startsText: true)
    }

    func normalize(_ text: [Unicode.Scalar], startsText: Bool) -> [Unicode.Scalar] {
        var start = 0
        while rules.removesExtraWhitespace, start < text.count {
            let prefix = prefix(of: text[...], at: start)
            guard prefix.scalars.count == 1, prefix.scalars.first == " " else { break }
            start = prefix.end
        }
        guard start < text.count else { return [] }
        let space = rules.escapesWhitespace ? Self.space : " "
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count - start + 1)
        let addsSpace = rules.addsDummyPrefix && (startsText || prefixesEverySegment)
        if addsSpace, !treatsWhitespaceAsSuffix { result.append(space) }
        rewrite(text[start...], space: space, into: &result)
        if rules.removesExtraWhitespace {
            while result.last == space { result.removeLast() }
        }
        if addsSpace, treatsWhitespaceAsSuffix { result.append(space) }
        return result
    }

    /// Rewrites a text from its start to its end; of a run of spaces only the first stays, if
    /// extra white space is removed.
    private func rewrite(
        _ text: ArraySlice<Unicode.Scalar>, space: Unicode.Scalar,
        into result: inout [Unicode.Scalar]
    ) {
        var followsSpace = rules.removesExtraWhitespace
        var position = text.startIndex
        while position < text.endIndex {
            if staysPlain(text, at: position) {
                result.append(text[position])
                followsSpace = false
                position += 1
                continue
            }
            let prefix = prefix(of: text, at: position)
            position = prefix.end
            let scalars = followsSpace ? prefix.scalars.drop { $0 == " " } : prefix.scalars
            guard let last = scalars.last else { continue }
            for scalar in scalars { result.append(scalar == " " ? space : scalar) }
            followsSpace = last == " " && rules.removesExtraWhitespace
        }
    }

    @inline(__always)
    private func staysPlain(_ text: ArraySlice<Unicode.Scalar>, at position: Int) -> Bool {
        let value = text[position].value
        guard value < 0x80, staysPlain[Int(value)] else { return false }
        return position + 1 == text.endIndex || text[position + 1].value < 0x80
    }

    /// What the start of a text becomes, and where that start ends.
    private func prefix(
        of text: ArraySlice<Unicode.Scalar>, at start: Int
    ) -> (scalars: ArraySlice<Unicode.Scalar>, end: Int) {
        if let match = symbols?.longestMatch(in: text, at: start) {
            return (text[start..<match.end], match.end)
        }
        if let rule = map?.longestRule(in: text, at: start) {
            return (rule.replacement[...], rule.end)
        }
        return (text[start...start], start + 1)
    }
}
