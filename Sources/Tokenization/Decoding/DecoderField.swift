/// The `decoder` of `tokenizer.json`.
struct DecoderField: Decodable {
    let decoder: any TokenDecoder

    private static let supported = ["BPEDecoder", "ByteLevel", "CTC", "Sequence", "WordPiece"]

    private enum CodingKeys: String, CodingKey {
        case decoders, prefix, cleanup, suffix, pad_token, word_delimiter_token
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try decoder.type()
        switch type {
        case "BPEDecoder":
            self.decoder = BPEDecoder(suffix: try values.decode(String.self, forKey: .suffix))
        case "ByteLevel": self.decoder = ByteLevelDecoder()
        case "CTC":
            self.decoder = CTCDecoder(
                paddingToken: try values.decode(String.self, forKey: .pad_token),
                wordDelimiter: try values.decode(String.self, forKey: .word_delimiter_token),
                cleansUp: try values.decode(Bool.self, forKey: .cleanup))
        case "Sequence":
            let fields = try values.decode([DecoderField].self, forKey: .decoders)
            self.decoder = DecoderSequence(decoders: fields.map(\.decoder))
        case "WordPiece":
            self.decoder = WordPieceDecoder(
                prefix: try values.decode(String.self, forKey: .prefix),
                cleansUp: try values.decode(Bool.self, forKey: .cleanup))
        default: throw decoder.unsupported(type, Self.supported)
        }
    }
}
