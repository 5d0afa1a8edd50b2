import DualJSON

/// A `model` of type `Unigram`. Its `vocab` is in `ModelTables`.
struct UnigramField: Decodable {
    private let unknownID: Int
    private let fallsBackToBytes: Bool

    private enum CodingKeys: String, CodingKey { case unk_id, byte_fallback }

    /// `tokenizers` takes a model without `unk_id`, and fails at the first text that needs it.
    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        unknownID = Int(try values.decode(UInt32.self, forKey: .unk_id))
        fallsBackToBytes = try values.decodeIfPresent(Bool.self, forKey: .byte_fallback) ?? false
    }

    func model(_ tables: ModelTables, file: String) throws(TokenizerError) -> Unigram {
        guard let (tokens, scores) = tables.scoredVocabulary else {
            throw .missingKey(file: file, field: "model.vocab")
        }
        guard unknownID < tokens.count else {
            throw .invalidValue(
                file: file, field: "model.unk_id", found: "\(unknownID)",
                expected: "below the \(tokens.count) of the vocabulary")
        }
        let vocabulary = try Vocabulary(tokens, file: file, field: "model.vocab")
        return Unigram(
            vocabulary: vocabulary, scores: scores, unknownID: unknownID,
            fallsBackToBytes: fallsBackToBytes)
    }
}

extension ModelTables {
    /// Reads an array of pairs, a token and its score each.
    static func scoredVocabulary(
        _ json: inout JSONReader, file: String
    ) throws -> (tokens: TokenList, scores: [Double]) {
        var tokens = TokenList()
        var scores: [Double] = []
        try json.readElements { json in
            let index = tokens.count
            var count = 0
            try json.readElements { json in
                switch count {
                case 0: tokens.append(try json.readText())
                case 1: scores.append(try score(&json, file: file, index: index))
                default: _ = try json.readValue()
                }
                count += 1
            }
            guard count == 2 else {
                throw TokenizerError.unusableValue(
                    file: file, field: "model.vocab[\(index)]",
                    reason: "it has \(count) parts instead of a token and its score")
            }
        }
        return (tokens, scores)
    }

    private static func score(
        _ json: inout JSONReader, file: String, index: Int
    ) throws -> Double {
        _ = json.peek()
        let start = json.position
        guard case .number(let text) = try json.readValue(),
            let score = SerdeNumber.double(text[...])
        else {
            throw TokenizerError.invalidValue(
                file: file, field: "model.vocab[\(index)][1]",
                found: String(json.spelling(from: start).prefix(40)), expected: "a number")
        }
        return score
    }
}
