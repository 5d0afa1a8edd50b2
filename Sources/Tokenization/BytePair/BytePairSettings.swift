/// The part of `tokenizer_config.json` that says how a byte-level tokenizer without a `tokenizer.json`
/// is used.
struct BytePairSettings: Decodable {
    var addsPrefixSpace = false
    var addsBeginning = false
    var addsEnd = false

    private enum CodingKeys: String, CodingKey {
        case add_prefix_space, add_bos_token, add_eos_token
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func flag(_ key: CodingKeys) throws -> Bool {
            try values.decodeIfPresent(Bool.self, forKey: key) ?? false
        }
        addsPrefixSpace = try flag(.add_prefix_space)
        addsBeginning = try flag(.add_bos_token)
        addsEnd = try flag(.add_eos_token)
    }
}
