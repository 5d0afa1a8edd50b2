/// A special token as `tokenizer_config.json` names it: a string, or an object with flags.
struct NamedToken: Decodable {
    let token: AddedToken

    private enum CodingKeys: String, CodingKey {
        case content, single_word, lstrip, rstrip, normalized
    }

    init(from decoder: any Decoder) throws {
        if let content = try? decoder.singleValueContainer().decode(String.self) {
            token = AddedToken(content: content)
            return
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func flag(_ key: CodingKeys) throws -> Bool {
            try values.decodeIfPresent(Bool.self, forKey: key) ?? false
        }
        token = AddedToken(
            content: try values.decode(String.self, forKey: .content),
            singleWord: try flag(.single_word), stripsLeft: try flag(.lstrip),
            stripsRight: try flag(.rstrip), normalized: try flag(.normalized))
    }
}
