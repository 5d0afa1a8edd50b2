/// Excludes tokens that would end a sequence of `size` tokens that the text already has.
///
/// Padding is no part of a text, so a prompt is continued alike in any batch; the reference counts
/// the padding before a shorter prompt of a batch.
struct NoRepeatNGram: LogitsProcessor {
    let size: Int
    /// Whether sequences of the prompt may come again.
    var repeatsPrompt = false

    func process(_ scores: inout [Float], after text: TextSoFar) {
        let tokens = repeatsPrompt ? Array(text.newTokens) : text.tokens
        guard tokens.count >= size else { return }
        let start = tokens.count + 1 - size
        let last = tokens[start...]
        for first in 0...tokens.count - size
        where tokens[first..<first + size - 1].elementsEqual(last) {
            let token = tokens[first + size - 1]
            if scores.indices.contains(token) { scores[token] = -.infinity }
        }
    }
}
