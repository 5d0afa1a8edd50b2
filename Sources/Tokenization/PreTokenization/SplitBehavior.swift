/// What becomes of the matches that a text is split at: `SplitDelimiterBehavior` of `tokenizers`.
enum SplitBehavior: String, Decodable, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
}

/// A stretch of a text that matches, or one between matches.
struct SplitStretch: Equatable, Sendable {
    var range: Range<Int>
    var isMatch: Bool
}

extension SplitBehavior {
    /// Appends the parts that a word is split into. The stretches cover it, and empty ones among
    /// them count: they keep their neighbours apart.
    func append(_ stretches: [SplitStretch], to newWords: inout [Range<Int>]) {
        switch self {
        case .isolated:
            for stretch in stretches { newWords.append(stretch.range) }
        case .removed:
            for stretch in stretches where !stretch.isMatch { newWords.append(stretch.range) }
        case .contiguous:
            newWords += Self.merged(stretches) { $0 == $1 }
        case .mergedWithPrevious:
            newWords += Self.merged(stretches) { isMatch, wasMatch in isMatch && !wasMatch }
        case .mergedWithNext:
            newWords += Self.merged(stretches.reversed()) { isMatch, wasMatch in
                isMatch && !wasMatch
            }.reversed()
        }
    }

    /// Joins a stretch to the part before it where the rule says so. Nothing stands before the
    /// first, which counts as no match.
    private static func merged(
        _ stretches: [SplitStretch], _ joins: (_ isMatch: Bool, _ wasMatch: Bool) -> Bool
    ) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var wasMatch = false
        for stretch in stretches {
            if joins(stretch.isMatch, wasMatch), let last = ranges.last {
                ranges[ranges.count - 1] =
                    min(
                        last.lowerBound, stretch.range.lowerBound)..<max(
                        last.upperBound, stretch.range.upperBound)
            } else {
                ranges.append(stretch.range)
            }
            wasMatch = stretch.isMatch
        }
        return ranges
    }
}

extension Words {
    /// Splits every word at the scalars of a kind, each a match of its own.
    mutating func split(_ behavior: SplitBehavior, at matches: (Unicode.Scalar) -> Bool) {
        var stretches: [SplitStretch] = []
        split { text, word, newWords in
            stretches.removeAll(keepingCapacity: true)
            var start = word.lowerBound
            for index in word where matches(text[index]) {
                if start < index {
                    stretches.append(SplitStretch(range: start..<index, isMatch: false))
                }
                stretches.append(SplitStretch(range: index..<index + 1, isMatch: true))
                start = index + 1
            }
            if start < word.upperBound {
                stretches.append(SplitStretch(range: start..<word.upperBound, isMatch: false))
            }
            behavior.append(stretches, to: &newWords)
        }
    }

    /// Splits every word at the matches of a pattern, or, inverted, at what lies between them.
    mutating func split(
        _ behavior: SplitBehavior, at pattern: RegularExpression, isInverted: Bool = false
    ) throws(RegexError) {
        try pattern.withMatcher(over: scalars) { matcher in
            var stretches: [SplitStretch] = []
            split { _, word, newWords in
                stretches.removeAll(keepingCapacity: true)
                var start = word.lowerBound
                matcher.forEachMatch(in: word) { match in
                    if start < match.lowerBound {
                        stretches.append(
                            SplitStretch(range: start..<match.lowerBound, isMatch: isInverted))
                    }
                    stretches.append(SplitStretch(range: match, isMatch: !isInverted))
                    start = match.upperBound
                }
                if start < word.upperBound {
                    stretches.append(
                        SplitStretch(range: start..<word.upperBound, isMatch: isInverted))
                }
                behavior.append(stretches, to: &newWords)
            }
        }
    }
}
