/// The `pre_tokenizer` of `tokenizer.json`.
struct PreTokenizerField: Decodable {
    let preTokenizer: any PreTokenizer

    private static let supported = [
        "BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "Metaspace", "Punctuation",
        "Sequence", "Split", "Whitespace", "WhitespaceSplit",
    ]

    private enum CodingKeys: String, CodingKey {
        case pretokenizers, add_prefix_space, use_regex, individual_digits, behavior, delimiter
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try decoder.type()
        switch type {
        case "BertPreTokenizer": preTokenizer = BertPreTokenizer()
        case "ByteLevel":
            let usesPattern = try values.decodeIfPresent(Bool.self, forKey: .use_regex) ?? true
            preTokenizer = ByteLevelPreTokenizer(
                addsPrefixSpace: try values.decode(Bool.self, forKey: .add_prefix_space),
                pattern: usesPattern ? try .init(ByteLevelPreTokenizer.gpt2Pattern) : nil)
        case "CharDelimiterSplit":
            preTokenizer = DelimiterPreTokenizer(delimiter: try values.decodeScalar(.delimiter))
        case "Digits":
            preTokenizer = DigitsPreTokenizer(
                separatesDigits: try values.decode(Bool.self, forKey: .individual_digits))
        case "Metaspace": preTokenizer = try Metaspace(from: decoder)
        case "Punctuation":
            preTokenizer = PunctuationPreTokenizer(
                behavior: try values.decodeIfPresent(SplitBehavior.self, forKey: .behavior)
                    ?? .isolated)
        case "Sequence":
            let fields = try values.decode([PreTokenizerField].self, forKey: .pretokenizers)
            preTokenizer = PreTokenizerSequence(preTokenizers: fields.map(\.preTokenizer))
        case "Split": preTokenizer = try SplitField(from: decoder).preTokenizer
        case "Whitespace": preTokenizer = Whitespace()
        case "WhitespaceSplit": preTokenizer = WhitespaceSplit()
        default: throw decoder.unsupported(type, Self.supported)
        }
    }
}

/// A `pre_tokenizer` of type `Split`.
private struct SplitField: Decodable {
    let preTokenizer: SplitPreTokenizer

    private enum CodingKeys: String, CodingKey { case pattern, behavior, invert }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        preTokenizer = SplitPreTokenizer(
            pattern: try values.decode(PatternField.self, forKey: .pattern).expression(),
            behavior: try values.decode(SplitBehavior.self, forKey: .behavior),
            isInverted: try values.decode(Bool.self, forKey: .invert))
    }
}
