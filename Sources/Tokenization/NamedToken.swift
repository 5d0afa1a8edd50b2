/// A special token as `tokenizer_config.json` names it: a string, or an object with flags.
struct NamedToken: Decodable {
    let token: AddedToken

    init(from decoder: any Decoder) throws {
        if let content = try? decoder.singleValueContainer().decode(String.self) {
            token = AddedToken(content: content)
            return
        }
        let values = try decoder.container(keyedBy: AddedToken.CodingKeys.self)
        func flag(_ key: AddedToken.CodingKeys) throws -> Bool {
            try values.decodeIfPresent(Bool.self, forKey: key) ?? false
        }
        token = AddedToken(
            content: try values.decode(String.self, forKey: .content),
            singleWord: try flag(.singleWord), stripsLeft: try flag(.stripsLeft),
            stripsRight: try flag(.stripsRight), normalized: try flag(.normalized))
    }
}
