/// `Replace` of `tokenizers` (`normalizers/replace.rs`): replaces all that a pattern matches, from
/// left to right.
struct Replace: Normalizer, Decodable {
    private enum Pattern {
        case scalar(Unicode.Scalar)
        case expression(RegularExpression)
    }

    private let pattern: Pattern
    private let content: [Unicode.Scalar]

    private enum CodingKeys: String, CodingKey { case pattern, content }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        content = Array(try values.decode(String.self, forKey: .content).unicodeScalars)
        let field = try values.decode(PatternField.self, forKey: .pattern)
        if case .text(let text) = field, text.unicodeScalars.count == 1,
            let scalar = text.unicodeScalars.first
        {
            pattern = .scalar(scalar)
        } else {
            pattern = .expression(try field.expression())
        }
    }

    func normalize(_ text: [Unicode.Scalar]) throws(RegexError) -> [Unicode.Scalar] {
        // There even a pattern that matches nothing finds no place.
        if text.isEmpty { return [] }
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        if case .scalar(let wanted) = pattern {
            for scalar in text {
                if scalar == wanted { result += content } else { result.append(scalar) }
            }
            return result
        }
        var start = 0
        try forEachMatch(in: text) { match in
            result += text[start..<match.lowerBound]
            result += content
            start = match.upperBound
        }
        result += text[start...]
        return result
    }

    /// What replaces a match stands for the last scalar of it.
    func opening(_ opening: Int, of text: [Unicode.Scalar]) throws(RegexError) -> Int {
        guard opening > 0 else { return 0 }
        var result = 0
        var start = 0
        try forEachMatch(in: text) { match in
            result += max(0, min(match.lowerBound, opening) - start)
            if match.upperBound <= opening { result += content.count }
            start = match.upperBound
        }
        return result + max(0, opening - start)
    }

    private func forEachMatch(
        in text: [Unicode.Scalar], _ body: (Range<Int>) -> Void
    ) throws(RegexError) {
        switch pattern {
        case .scalar(let wanted):
            for index in text.indices where text[index] == wanted { body(index..<index + 1) }
        case .expression(let expression):
            try expression.withMatcher(over: text) { matcher in
                matcher.forEachMatch(in: 0..<text.count, body)
            }
        }
    }
}
