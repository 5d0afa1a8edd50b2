import Foundation

/// BLEU of a set of texts: how many of their n-grams, n from 1 to 4, the references have.
///
///     BLEU = BP · exp(¼ Σ ln pₙ),  BP = min(1, exp(1 - r / c))
///
/// Counts are summed over the set before pₙ is taken; an n-gram counts at most as often as it is in
/// one reference; c is the number of words, r that of the references nearest in length, the
/// shorter of two. Words are those of `ChallengeTokens`.
///
/// Papineni et al. 2002, ACL P02-1040. Reference: the E2E challenge's `metrics/pymteval.py`,
/// `BLEUScore()`; as there, a count of 0 is taken as 1e-15, so that the score is defined.
///
/// - Returns: from 0 to 1 where every text has three words or more. A shorter one takes up to three from
///   the number of n-grams, as there, so that a set with many empty texts can score above 1.
/// - Throws: ``MetricError`` when there is no segment, or one without references.
public func bleu(_ segments: [GenerationSegment]) throws(MetricError) -> Double {
    try checkSegments(segments, metric: "BLEU")
    let order = 4
    var table = NGramTable()
    var hits = [Int](repeating: 0, count: order)
    var totals = hits
    var referenceLength = 0
    for segment in segments {
        let text = table.nGrams(ChallengeTokens.words(segment.hypothesis), order: order)
        let references = segment.references.map {
            table.nGrams(ChallengeTokens.words($0), order: order)
        }
        let length = text[0].count
        for n in 0..<order {
            let limits = largestCounts(references.map { $0[n] })
            hits[n] += counts(text[n]).reduce(0) { $0 + min($1.value, limits[$1.key] ?? 0) }
            // The reference subtracts even where a text is shorter than n.
            totals[n] += length - n
        }
        referenceLength += nearest(to: length, among: references.map { $0[0].count })
    }
    let logarithms = zip(hits, totals).map { hits, total in
        log(max(Double(hits), 1e-15) / max(Double(total), 1e-9))
    }
    let precision = exp(logarithms.reduce(0, +) / Double(order))
    let (length, reference) = (Double(totals[0]), Double(referenceLength))
    return length > reference ? precision : exp(1 - reference / length) * precision
}

/// The length nearest to another; of two alike, the shorter.
private func nearest(to length: Int, among lengths: [Int]) -> Int {
    lengths.min { (abs($0 - length), $0) < (abs($1 - length), $1) } ?? 0
}
