/// The `normalizer` of `tokenizer.json`.
struct NormalizerField: Decodable {
    let normalizer: any Normalizer

    private enum CodingKeys: String, CodingKey {
        case normalizers, clean_text, handle_chinese_chars, strip_accents, lowercase
        case prepend, strip_left, strip_right
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let type = try decoder.type()
        switch type {
        case "BertNormalizer":
            normalizer = BertNormalizer(
                cleansText: try values.decode(Bool.self, forKey: .clean_text),
                separatesChinese: try values.decode(Bool.self, forKey: .handle_chinese_chars),
                stripsAccents: try values.decodeIfPresent(Bool.self, forKey: .strip_accents),
                lowercases: try values.decode(Bool.self, forKey: .lowercase))
        case "ByteLevel": normalizer = ByteLevelNormalizer()
        case "Lowercase": normalizer = Lowercase()
        case "StripAccents": normalizer = StripAccents()
        case "NFD": normalizer = UnicodeNormalization(form: .nfd)
        case "NFC": normalizer = UnicodeNormalization(form: .nfc)
        case "NFKD": normalizer = UnicodeNormalization(form: .nfkd)
        case "NFKC": normalizer = UnicodeNormalization(form: .nfkc)
        case "Nmt": normalizer = Nmt()
        case "Precompiled": normalizer = try PrecompiledNormalizer(from: decoder)
        case "Prepend":
            normalizer = Prepend(
                prefix: Array(try values.decode(String.self, forKey: .prepend).unicodeScalars))
        case "Replace": normalizer = try Replace(from: decoder)
        case "Strip":
            normalizer = Strip(
                stripsLeft: try values.decode(Bool.self, forKey: .strip_left),
                stripsRight: try values.decode(Bool.self, forKey: .strip_right))
        case "Sequence":
            let fields = try values.decode([NormalizerField].self, forKey: .normalizers)
            normalizer = NormalizerSequence(normalizers: fields.map(\.normalizer))
        default:
            throw decoder.unsupported(
                type,
                [
                    "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt",
                    "Precompiled", "Prepend", "Replace", "Sequence", "Strip", "StripAccents",
                ])
        }
    }
}
