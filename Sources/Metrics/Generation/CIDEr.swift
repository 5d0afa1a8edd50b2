import Foundation

/// CIDEr-D of texts: how alike their n-grams are to the references', each weighed by how few segments
/// of the set have it.
///
///     CIDEr = 10 · mean over n = 1…4 and references of
///             e^(-δ²/2σ²) · Σ min(g(c), g(s))·g(s) / (‖g(c)‖·‖g(s)‖),  σ = 6
///     g(w) = count(w) · ln(segments / segments whose references have w)
///
/// δ is the difference of the numbers of bigrams. The value is the mean over the texts, so it means
/// something only for many: of one segment it is 0. Words are those of `CaptionTokens`.
///
/// Vedantam et al. 2015, arXiv:1411.5726. Reference: coco-caption's `pycocoevalcap/cider`, which the
/// E2E challenge uses.
///
/// - Returns: from 0 to 10.
/// - Throws: ``MetricError`` when there is no segment, or one without references.
public func cider(_ segments: [GenerationSegment]) throws(MetricError) -> Double {
    try checkSegments(segments, metric: "CIDEr")
    return cider(CaptionTokens(segments))
}

func cider(_ captions: CaptionTokens) -> Double {
    var table = NGramTable()
    let texts = captions.hypotheses.map { table.nGrams(pythonWords($0), order: order) }
    let references = captions.references.map { references in
        references.map { table.nGrams(pythonWords($0), order: order) }
    }
    var frequency: [Int: Int] = [:]
    for group in references {
        for nGram in Set(group.joined().joined()) { frequency[nGram, default: 0] += 1 }
    }
    let logCount = log(Double(texts.count))
    func vector(_ nGrams: [[Int]]) -> NGramVector {
        NGramVector(nGrams) { logCount - log(Double(max(1, frequency[$0] ?? 0))) }
    }
    let scores = zip(texts, references).map { text, references in
        let text = vector(text)
        let sum = references.reduce(0) { $0 + text.likeness(to: vector($1)) }
        return 10 * sum / Double(order) / Double(references.count)
    }
    return scores.reduce(0, +) / Double(scores.count)
}

private let order = 4

/// The words that Python's `str.split()` finds.
private func pythonWords(_ caption: String) -> [String] {
    caption.unicodeScalars.split(whereSeparator: isPythonSpace).map { String($0) }
}

/// The weighed n-grams of a text, one part for each length.
private struct NGramVector {
    private let weights: [[Int: Double]]
    private let norms: [Double]
    private let bigrams: Int

    init(_ nGrams: [[Int]], weight: (Int) -> Double) {
        weights = nGrams.map { grams in
            counts(grams).reduce(into: [:]) { $0[$1.key] = Double($1.value) * weight($1.key) }
        }
        norms = weights.map { $0.values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        bigrams = nGrams[1].count
    }

    /// The sum over the lengths of the clipped cosine, less where the texts differ in length.
    func likeness(to reference: NGramVector) -> Double {
        let difference = Double(bigrams - reference.bigrams)
        let penalty = exp(-difference * difference / 72)
        return weights.indices.reduce(0) { sum, n in
            let product = weights[n].reduce(0) { product, own in
                let other = reference.weights[n][own.key] ?? 0
                return product + min(own.value, other) * other
            }
            let norm = norms[n] * reference.norms[n]
            return sum + penalty * (norm == 0 ? product : product / norm)
        }
    }
}
