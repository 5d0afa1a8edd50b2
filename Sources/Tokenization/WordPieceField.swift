/// A `model` of type `WordPiece`.
struct WordPieceField: Decodable {
    private let unknownToken: String
    private let continuationPrefix: String
    private let maximumWordLength: Int

    private enum CodingKeys: String, CodingKey {
        case unk_token, continuing_subword_prefix, max_input_chars_per_word
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        unknownToken = try values.decode(String.self, forKey: .unk_token)
        continuationPrefix = try values.decode(String.self, forKey: .continuing_subword_prefix)
        maximumWordLength = Int(
            try values.decode(UInt32.self, forKey: .max_input_chars_per_word))
    }

    func model(_ tables: ModelTables, file: String) throws(TokenizerError) -> WordPiece {
        let vocabulary = try tables.requiredVocabulary(file: file)
        guard let unknownID = vocabulary.id(for: unknownToken) else {
            throw .missingToken(file: file, field: "model.unk_token", token: unknownToken)
        }
        return WordPiece(
            vocabulary: vocabulary, unknownID: unknownID, continuationPrefix: continuationPrefix,
            maximumWordLength: maximumWordLength)
    }
}
