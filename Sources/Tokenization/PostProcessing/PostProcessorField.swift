/// The `post_processor` of `tokenizer.json`.
struct PostProcessorField: Decodable {
    let postProcessor: TemplateProcessing

    private enum CodingKeys: String, CodingKey {
        case type, sep, cls, single, pair, processors
        case specialTokens = "special_tokens"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try values.decode(String.self, forKey: .type)
        switch type {
        case "BertProcessing":
            postProcessor = TemplateProcessing(
                classification: try values.decode(TokenAndID.self, forKey: .cls).piece,
                separator: try values.decode(TokenAndID.self, forKey: .sep).piece)
        case "ByteLevel": postProcessor = .plain
        case "RobertaProcessing":
            postProcessor = TemplateProcessing(
                robertaClassification: try values.decode(TokenAndID.self, forKey: .cls).piece,
                separator: try values.decode(TokenAndID.self, forKey: .sep).piece)
        case "Sequence": postProcessor = try Self.sequence(values)
        case "TemplateProcessing":
            let tokens = try values.decode([String: SpecialToken].self, forKey: .specialTokens)
                .mapValues(\.pieces)
            postProcessor = TemplateProcessing(
                single: try Self.parts(values, .single, tokens, allowsSecond: false),
                pair: try Self.parts(values, .pair, tokens, allowsSecond: true))
        default:
            throw decoder.unsupported(
                type,
                [
                    "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence",
                    "TemplateProcessing",
                ])
        }
    }

    /// A sequence in which at most one processor joins texts; the others, of type `ByteLevel`,
    /// change nothing here. What two that join make of each other is not supported.
    private static func sequence(
        _ values: KeyedDecodingContainer<CodingKeys>
    ) throws -> TemplateProcessing {
        let joining = try values.decode([PostProcessorField].self, forKey: .processors)
            .map(\.postProcessor).filter { $0 != .plain }
        guard joining.count <= 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: .processors, in: values,
                debugDescription: "more than one of them adds special tokens")
        }
        return joining.first ?? .plain
    }

    /// Resolves a template. What `tokenizers` would only stumble over when it encodes, a special
    /// token without definition or a second text in the template of one, is refused here.
    private static func parts(
        _ values: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys,
        _ tokens: [String: [Piece]], allowsSecond: Bool
    ) throws -> [TemplateProcessing.Part] {
        try values.decode([TemplatePiece].self, forKey: key).map { piece in
            func refuse(_ reason: String) -> DecodingError {
                .dataCorruptedError(forKey: key, in: values, debugDescription: reason)
            }
            switch piece {
            case .sequence(let name, let typeID) where name == "A":
                return .first(typeID: typeID)
            case .sequence(let name, let typeID) where name == "B" && allowsSecond:
                return .second(typeID: typeID)
            case .sequence(let name, _):
                throw refuse("sequence '\(name)' has no text")
            case .specialToken(let name, let typeID):
                guard let pieces = tokens[name] else {
                    throw refuse("'\(name)' is not among the special_tokens")
                }
                return .special(pieces, typeID: typeID)
            }
        }
    }
}

/// `["[SEP]", 102]`
private struct TokenAndID: Decodable {
    let piece: Piece

    init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        let token = try values.decode(String.self)
        piece = Piece(id: Int(try values.decode(UInt32.self)), token: token)
    }
}

/// `{"id": "[SEP]", "ids": [102], "tokens": ["[SEP]"]}`
private struct SpecialToken: Decodable {
    let pieces: [Piece]

    private enum CodingKeys: String, CodingKey { case ids, tokens }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let ids = try values.decode([UInt32].self, forKey: .ids).map(Int.init)
        let tokens = try values.decode([String].self, forKey: .tokens)
        guard ids.count == tokens.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .tokens, in: values, debugDescription: "as many tokens as ids")
        }
        pieces = zip(ids, tokens).map(Piece.init)
    }
}

/// `{"Sequence": {"id": "A", "type_id": 0}}` or `{"SpecialToken": {"id": "[SEP]", "type_id": 0}}`
private enum TemplatePiece: Decodable {
    case sequence(String, typeID: Int)
    case specialToken(String, typeID: Int)

    private struct Body: Decodable {
        let id: String
        let type_id: UInt32
    }

    private enum CodingKeys: String, CodingKey {
        case sequence = "Sequence"
        case specialToken = "SpecialToken"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let body = try values.decodeIfPresent(Body.self, forKey: .sequence) {
            self = .sequence(body.id, typeID: Int(body.type_id))
        } else {
            let body = try values.decode(Body.self, forKey: .specialToken)
            self = .specialToken(body.id, typeID: Int(body.type_id))
        }
    }
}
