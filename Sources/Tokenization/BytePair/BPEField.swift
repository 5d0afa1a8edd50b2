/// A `model` of type `BPE` in `tokenizer.json`.
struct BPEField: Decodable {
    private let options: BPE.Options

    private enum CodingKeys: String, CodingKey {
        case dropout, unk_token, fuse_unk, byte_fallback, continuing_subword_prefix
        case end_of_word_suffix, ignore_merges
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let dropout = try values.decodeIfPresent(Double.self, forKey: .dropout), dropout != 0 {
            throw DecodingError.dataCorruptedError(
                forKey: .dropout, in: values,
                debugDescription: "merges that drop out by chance (\(dropout)) are not supported")
        }
        func flag(_ key: CodingKeys) throws -> Bool {
            try values.decodeIfPresent(Bool.self, forKey: key) ?? false
        }
        func text(_ key: CodingKeys) throws -> String {
            try values.decodeIfPresent(String.self, forKey: key) ?? ""
        }
        options = BPE.Options(
            unknownToken: try values.decodeIfPresent(String.self, forKey: .unk_token),
            fusesUnknown: try flag(.fuse_unk), fallsBackToBytes: try flag(.byte_fallback),
            continuationPrefix: try text(.continuing_subword_prefix),
            wordSuffix: try text(.end_of_word_suffix), ignoresMerges: try flag(.ignore_merges))
    }

    func model(_ tables: ModelTables, file: String) throws(TokenizerError) -> BPE {
        let vocabulary = try tables.requiredVocabulary(file: file)
        guard let merges = tables.merges else {
            throw .missingKey(file: file, field: "model.merges")
        }
        return try BPE(vocabulary: vocabulary, merges: merges, options: options, file: file)
    }
}
