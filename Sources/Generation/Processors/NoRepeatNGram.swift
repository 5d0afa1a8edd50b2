/// Excludes tokens that would end a sequence of `size` tokens that a part of the text already has.
///
/// Padding is no part of a text, so a prompt is continued alike in any batch; the reference counts
/// the padding before a shorter prompt of a batch.
struct NoRepeatNGram: LogitsProcessor {
    let size: Int
    /// Where the sequences are that do not come again.
    var source = TextSoFar.Part.text

    func process(_ scores: inout [Float], after text: TextSoFar) {
        let tokens = Array(text[source])
        guard tokens.count >= size else { return }
        // A sequence that ends among the new tokens may begin in the prompt, unless only new ones count.
        let last = (source == .newTokens ? tokens : text.tokens).suffix(size - 1)
        for first in 0...tokens.count - size
        where tokens[first..<first + size - 1].elementsEqual(last) {
            let token = tokens[first + size - 1]
            if scores.indices.contains(token) { scores[token] = -.infinity }
        }
    }
}
