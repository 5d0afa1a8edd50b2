import Foundation

/// NIST of a set of texts: n-grams that the references have, n from 1 to 5, each weighed by how much
/// its last word tells.
///
///     NIST = LP · Σₙ (Σ info(hit n-grams) / n-grams of the texts)
///     info(w₁…wₙ) = log₂(count(w₁…wₙ₋₁) / count(w₁…wₙ))
///     LP = exp(-β ln²(min(1, c / r))),  β = ln 2 / ln² 1.5
///
/// Counts are those of all references of the set; c is the number of words of the texts, r the sum of
/// the references' mean lengths. Words are those of `ChallengeTokens`.
///
/// Doddington 2002, HLT, doi:10.3115/1289189.1289273. Reference: the E2E challenge's
/// `metrics/pymteval.py`, `NISTScore()`. Where texts are too short for any n-gram of a length, the
/// reference divides by zero; here that length adds nothing.
///
/// - Returns: from 0; about 8 to 9 for good texts of the E2E challenge.
/// - Throws: ``MetricError`` when there is no segment, or one without references.
public func nist(_ segments: [GenerationSegment]) throws(MetricError) -> Double {
    try checkSegments(segments, metric: "NIST")
    let order = 5
    var table = NGramTable()
    var hits = [[Int: Int]](repeating: [:], count: order)
    var totals = [Int](repeating: 0, count: order)
    var occurrences: [Int: Int] = [:]
    var referenceLength = 0.0
    for segment in segments {
        let text = table.nGrams(ChallengeTokens.words(segment.hypothesis), order: order)
        let references = segment.references.map {
            table.nGrams(ChallengeTokens.words($0), order: order)
        }
        for n in 0..<order {
            let limits = largestCounts(references.map { $0[n] })
            for (nGram, count) in counts(text[n]) {
                hits[n][nGram, default: 0] += min(count, limits[nGram] ?? 0)
            }
            totals[n] += text[0].count - n
            for reference in references {
                for nGram in reference[n] { occurrences[nGram, default: 0] += 1 }
            }
        }
        let words = references.reduce(0) { $0 + $1[0].count }
        occurrences[NGramTable.empty, default: 0] += words
        referenceLength += Double(words) / Double(references.count)
    }
    let information = hits.map { hits in
        hits.reduce(0) { sum, hit in
            guard hit.value > 0, let count = occurrences[hit.key] else { return sum }
            let before = occurrences[table.prefixes[hit.key]] ?? 0
            return sum + Double(hit.value) * log2(Double(before) / Double(count))
        }
    }
    let sum = zip(information, totals).reduce(0) { $0 + ($1.1 == 0 ? 0 : $1.0 / Double($1.1)) }
    return lengthPenalty(Double(totals[0]) / referenceLength) * sum
}

/// 1 for texts at least as long as the references, 0.5 for texts of two thirds of their length.
private func lengthPenalty(_ ratio: Double) -> Double {
    if ratio >= 1 { return 1 }
    if ratio <= 0 { return 0 }
    let beta = log(2) / (log(1.5) * log(1.5))
    return exp(-beta * log(ratio) * log(ratio))
}
