/// How many bytes of a text each token of a byte-level tokenizer stands for.
package struct TokenByteCounts: Sendable {
    private let counts: [Int32]
    private let isNormalized: Bool

    /// - Returns: nil for a tokenizer whose tokens are no stretches of bytes.
    package init?(_ tokenizer: Tokenizer) {
        guard tokenizer.decoder is ByteLevelDecoder else { return nil }
        var counts = [Int32](repeating: 0, count: tokenizer.vocabularySize)
        // Each character of a spelling is a byte.
        tokenizer.model.vocabulary.forEach { token, id in
            if counts.indices.contains(id) {
                counts[id] = Int32(clamping: token.unicodeScalars.count)
            }
        }
        for (id, token) in tokenizer.addedTokens.tokens where counts.indices.contains(id) {
            counts[id] = Int32(clamping: token.content.utf8.count)
        }
        self.counts = counts
        isNormalized = tokenizer.normalizer != nil
    }

    /// Where each token of a text ends, in bytes of its UTF-8.
    /// - Returns: nil where the tokens are not the text's own bytes, as where it was normalized, or framed.
    package func ends(of ids: [Int], in text: String) -> [Int]? {
        if isNormalized, !text.utf8.allSatisfy({ $0 < 0x80 }) { return nil }
        var ends: [Int] = []
        ends.reserveCapacity(ids.count)
        var end = 0
        for id in ids {
            guard counts.indices.contains(id) else { return nil }
            end += Int(counts[id])
            ends.append(end)
        }
        return end == text.utf8.count ? ends : nil
    }
}
