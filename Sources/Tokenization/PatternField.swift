/// A `pattern` of `tokenizer.json`: `{"String": " "}` or `{"Regex": "\\s+"}`.
enum PatternField: Decodable {
    case text(String)
    case regex(RegularExpression)

    private enum CodingKeys: String, CodingKey {
        case text = "String"
        case regex = "Regex"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try values.decodeIfPresent(String.self, forKey: .text) {
            self = .text(text)
            return
        }
        let pattern = try values.decode(String.self, forKey: .regex)
        do {
            self = .regex(try RegularExpression(pattern))
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: .regex, in: values,
                debugDescription: "in the pattern '\(pattern)' \(error.reason)")
        }
    }

    func expression() throws(RegexError) -> RegularExpression {
        switch self {
        case .text(let text): try RegularExpression(literal: text)
        case .regex(let expression): expression
        }
    }
}
