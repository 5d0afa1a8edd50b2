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

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        switch pattern {
        case .scalar(let wanted):
            for scalar in text {
                if scalar == wanted { result += content } else { result.append(scalar) }
            }
        case .expression(let expression):
            var start = 0
            expression.withMatcher(over: text) { matcher in
                matcher.forEachMatch(in: 0..<text.count) { match in
                    result += text[start..<match.lowerBound]
                    result += content
                    start = match.upperBound
                }
            }
            result += text[start...]
        }
        return result
    }
}
