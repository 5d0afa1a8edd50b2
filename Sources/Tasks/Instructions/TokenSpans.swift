import DualTokenization
import DualTraining

/// Where in a text its tokens stand, found by decoding them one after the other.
///
/// White space that a tokenizer puts in, leaves out or turns into other is passed over. Where it rewrites
/// more than that, the places end.
struct TokenSpans {
    /// The scalars that each token has some of, in order; fewer than there are tokens where the rest
    /// cannot be told.
    private(set) var ranges: [Range<Int>] = []
    private let count: Int

    init(of ids: [Int], in text: String, _ tokenizer: Tokenizer) {
        count = ids.count
        ranges.reserveCapacity(count)
        var cursor = TextCursor(text)
        var stream = tokenizer.makeStreamingDecoder(skippingSpecialTokens: false)
        var start = 0
        for id in ids {
            if tokenizer.isSpecial(id), let token = tokenizer.token(for: id) {
                guard cursor.pass(stream.finish()) else { return }
                stream = tokenizer.makeStreamingDecoder(skippingSpecialTokens: false)
                cursor.passIfThere(token)
                ranges.append(start..<max(start, cursor.position))
                start = cursor.position
                continue
            }
            guard cursor.pass(stream.append(id)) else { return }
            // What the decoder holds back is a token that the next decides about, or the first bytes of a
            // character.
            var (remaining, ahead) = (stream, cursor)
            let end = ahead.pass(remaining.finish()) ? ahead.position : ahead.position + 1
            ranges.append(start..<max(start, end))
            start = ahead.position
        }
    }

    /// Whether the places of all tokens are known.
    var areWhole: Bool { ranges.count == count }

    /// The first token that has the scalar at a place, or the next where none has; nil behind the last.
    func token(at place: Int) -> Int? {
        ranges.firstIndex { $0.contains(place) } ?? ranges.firstIndex { $0.lowerBound > place }
    }

    /// How many tokens end before a place: the next begins there, or has a scalar of what stands behind.
    /// nil where it cannot be told.
    func count(before place: Int) -> Int? {
        let next = ranges.firstIndex { $0.upperBound > place || $0.lowerBound >= place }
        return next ?? (ranges.count == count ? count : nil)
    }
}

/// A place in a text, moved on by what tokens say.
private struct TextCursor {
    private let text: [Unicode.Scalar]
    private(set) var position = 0

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    /// Goes over what a token says.
    /// - Returns: whether the text says it too; the position is then behind it, else where it does not.
    mutating func pass(_ said: String) -> Bool {
        for scalar in said.unicodeScalars {
            let isSpace = scalar.properties.isWhitespace
            if !isSpace, !isNext(scalar) { skipSpaces() }
            if isNext(scalar) || isSpace && isAtSpace {
                position += 1
            } else if !isSpace {
                return false
            }
        }
        return true
    }

    /// Goes over a special token, which stands in the text or was put around it.
    mutating func passIfThere(_ token: String) {
        let scalars = Array(token.unicodeScalars)
        var there = self
        if !isNext(scalars) { there.skipSpaces() }
        if there.isNext(scalars) { position = there.position + scalars.count }
    }

    private var isAtSpace: Bool {
        position < text.count && text[position].properties.isWhitespace
    }

    private func isNext(_ scalar: Unicode.Scalar) -> Bool {
        position < text.count && text[position] == scalar
    }

    private func isNext(_ scalars: [Unicode.Scalar]) -> Bool {
        text[position...].starts(with: scalars)
    }

    private mutating func skipSpaces() { while isAtSpace { position += 1 } }
}
