/// The `decoder` of `tokenizer.json`.
struct DecoderField: Decodable {
    let decoder: any TokenDecoder

    private static let supported = [
        "BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace", "Replace",
        "Sequence", "Strip", "WordPiece",
    ]

    private enum CodingKeys: String, CodingKey {
        case decoders, prefix, cleanup, suffix, pad_token, word_delimiter_token
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try decoder.type()
        switch type {
        case "BPEDecoder":
            self.decoder = BPEDecoder(suffix: try values.decode(String.self, forKey: .suffix))
        case "ByteFallback": self.decoder = ByteFallbackDecoder()
        case "ByteLevel": self.decoder = ByteLevelDecoder()
        case "CTC":
            self.decoder = CTCDecoder(
                paddingToken: try values.decode(String.self, forKey: .pad_token),
                wordDelimiter: try values.decode(String.self, forKey: .word_delimiter_token),
                cleansUp: try values.decode(Bool.self, forKey: .cleanup))
        case "Fuse": self.decoder = FuseDecoder()
        case "Metaspace":
            self.decoder = MetaspaceDecoder(metaspace: try Metaspace(from: decoder))
        case "Replace": self.decoder = ReplaceDecoder(replacement: try Replace(from: decoder))
        case "Sequence":
            let fields = try values.decode([DecoderField].self, forKey: .decoders)
            self.decoder = DecoderSequence(decoders: fields.map(\.decoder))
        case "Strip": self.decoder = try StripDecoder(from: decoder)
        case "WordPiece":
            self.decoder = WordPieceDecoder(
                prefix: try values.decode(String.self, forKey: .prefix),
                cleansUp: try values.decode(Bool.self, forKey: .cleanup))
        default: throw decoder.unsupported(type, Self.supported)
        }
    }
}
