import Foundation

/// METEOR of a set of texts, with exact matches and matches of stems.
///
///     METEOR = (1 - γ·(chunks / matches)^β) · P·R / (α·P + (1 - α)·R)
///     α = 0.85, β = 0.2, γ = 0.6
///
/// P and R are the shares of the text's and the reference's words that match, where a match of stems
/// counts 0.6, a content word 0.75 and a function word 0.25. Of several references the one of the
/// highest score counts. The counts of all texts are summed before the score is taken.
///
/// Denkowski and Lavie 2014, ACL W14-3348. Reference: METEOR 1.5 with `-l en -norm -m "exact stem"`,
/// called as coco-caption and the E2E challenge call it, on `CaptionTokens`. The challenge also
/// matches synonyms of WordNet and paraphrases of a table of 61 MB, which this package does not
/// carry: its scores are a little higher.
///
/// - Returns: from 0 to 1.
/// - Throws: ``MetricError`` when there is no segment, or one without references.
public func meteor(_ segments: [GenerationSegment]) throws(MetricError) -> Double {
    try checkSegments(segments, metric: "METEOR")
    return meteor(CaptionTokens(segments))
}

func meteor(_ captions: CaptionTokens) -> Double {
    var words = MeteorDictionary()
    let total = zip(captions.hypotheses, captions.references).reduce(into: MeteorCounts()) {
        let text = words.words($1.0)
        var best: MeteorCounts?
        for reference in $1.1 {
            let counts = MeteorCounts(text, words.words(reference))
            if let best, counts.score <= best.score { continue }
            best = counts
        }
        if let best { $0.add(best) }
    }
    return total.score
}

/// Words and their stems, as numbers.
private struct MeteorDictionary {
    private var known: [[UInt8]: MeteorWord] = [:]
    private var numbers: [[UInt8]: Int] = [:]

    mutating func words(_ caption: String) -> [MeteorWord] {
        MeteorWords.words(caption).map { word in
            let bytes = Array(word.utf8)
            if let known = known[bytes] { return known }
            let new = MeteorWord(
                id: number(of: bytes), stem: number(of: Array(EnglishStemmer.stem(word).utf8)),
                isFunctionWord: meteorFunctionWords.contains(word))
            known[bytes] = new
            return new
        }
    }

    private mutating func number(of bytes: [UInt8]) -> Int {
        if let known = numbers[bytes] { return known }
        numbers[bytes] = numbers.count
        return numbers.count - 1
    }
}

/// What a score is made of, of one text or of several.
private struct MeteorCounts {
    /// Words by their kind.
    struct Words {
        var content = 0.0
        var function = 0.0

        /// A content word counts δ, a function word 1 - δ.
        var weight: Double { 0.75 * content + 0.25 * function }

        mutating func add(_ word: MeteorWord, _ count: Double = 1) {
            if word.isFunctionWord { function += count } else { content += count }
        }

        static func += (a: inout Words, b: Words) {
            a.content += b.content
            a.function += b.function
        }
    }

    private(set) var text = Words()
    private(set) var reference = Words()
    /// Matched words, those of equal stems only as far as they count.
    private(set) var textMatches = Words()
    private(set) var referenceMatches = Words()
    private(set) var matches = 0
    private(set) var chunks = 0

    init() {}

    init(_ words: [MeteorWord], _ referenceWords: [MeteorWord]) {
        let alignment = MeteorAlignment(words, to: referenceWords)
        for word in words { text.add(word) }
        for word in referenceWords { reference.add(word) }
        for (index, match) in alignment.matches.enumerated() {
            guard let match else { continue }
            let weight = match.isExact ? 1 : 0.6
            textMatches.add(words[match.textPlace], weight)
            referenceMatches.add(referenceWords[index], weight)
            matches += 1
        }
        chunks = alignment.chunks
        // A text that is the reference has no penalty.
        if chunks == 1, matches == words.count, matches == referenceWords.count { chunks = 0 }
    }

    mutating func add(_ other: MeteorCounts) {
        text += other.text
        reference += other.reference
        textMatches += other.textMatches
        referenceMatches += other.referenceMatches
        matches += other.matches
        chunks += other.chunks
    }

    var score: Double {
        let precision = textMatches.weight / text.weight
        let recall = referenceMatches.weight / reference.weight
        let mean = 1 / (0.15 / precision + 0.85 / recall)
        let score = mean * (1 - 0.6 * pow(Double(chunks) / Double(matches), 0.2))
        return score.isNaN ? 0 : max(score, 0)
    }
}

/// Words whose relative frequency in English news is above 1 in 1000, as METEOR 1.5 takes them.
private let meteorFunctionWords = Set(
    """
    " $ ' 's 't ( ) , - -- -lrb- -rrb- . : ? \u{2014} \u{2019} \u{201C} \u{201D} a about \
    after all also an and are as at be been but by can could first for from had has have he \
    her his i if in into is it its last more new no not of on one or other out over people s \
    said she so some than that the their there they this time to two up was we were what \
    when which who will with would year years you
    """.split(separator: " ").map(String.init))
