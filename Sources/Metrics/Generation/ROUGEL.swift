/// ROUGE-L of texts: the longest common subsequence of words with the references, as an F-score.
///
///     F = (1 + β²)·P·R / (R + β²·P),  β = 1.2
///
/// P is the greatest share of the text's words that stand in order in one reference, R the greatest
/// share of one reference's words; the references may be two. The value is the mean over the texts.
/// Words are those of `CaptionTokens`.
///
/// Lin 2004, ACL W04-1013. Reference: coco-caption's `pycocoevalcap/rouge`, which the E2E challenge
/// uses; as there, an empty text has one word, the empty one.
///
/// - Returns: from 0 to 1.
/// - Throws: ``MetricError`` when there is no segment, or one without references.
public func rougeL(_ segments: [GenerationSegment]) throws(MetricError) -> Double {
    try checkSegments(segments, metric: "ROUGE-L")
    return rougeL(CaptionTokens(segments))
}

func rougeL(_ captions: CaptionTokens) -> Double {
    let scores = zip(captions.hypotheses, captions.references).map { hypothesis, references in
        let words = spacedWords(hypothesis)
        var (precision, recall) = (0.0, 0.0)
        for reference in references.map(spacedWords) {
            let common = Double(longestCommonSubsequence(words, reference))
            precision = max(precision, common / Double(words.count))
            recall = max(recall, common / Double(reference.count))
        }
        guard precision > 0, recall > 0 else { return 0.0 }
        let beta = 1.2 * 1.2
        return (1 + beta) * precision * recall / (recall + beta * precision)
    }
    return scores.reduce(0, +) / Double(scores.count)
}

/// The pieces between spaces; an empty text has one.
private func spacedWords(_ caption: String) -> [[UInt8]] {
    caption.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        .map { Array($0) }
}

private func longestCommonSubsequence(_ a: [[UInt8]], _ b: [[UInt8]]) -> Int {
    var row = [Int](repeating: 0, count: b.count + 1)
    for word in a {
        var diagonal = 0
        for (index, other) in b.enumerated() {
            let above = row[index + 1]
            row[index + 1] = word == other ? diagonal + 1 : max(above, row[index])
            diagonal = above
        }
    }
    return row[b.count]
}
