/// The `pre_tokenizer` of `tokenizer.json`.
struct PreTokenizerField: Decodable {
    let preTokenizer: any PreTokenizer

    private enum CodingKeys: String, CodingKey { case pretokenizers }

    init(from decoder: any Decoder) throws {
        let type = try decoder.type()
        switch type {
        case "BertPreTokenizer": preTokenizer = BertPreTokenizer()
        case "Whitespace": preTokenizer = Whitespace()
        case "WhitespaceSplit": preTokenizer = WhitespaceSplit()
        case "Sequence":
            let fields = try decoder.container(keyedBy: CodingKeys.self)
                .decode([PreTokenizerField].self, forKey: .pretokenizers)
            preTokenizer = PreTokenizerSequence(preTokenizers: fields.map(\.preTokenizer))
        default:
            throw decoder.unsupported(
                type, ["BertPreTokenizer", "Sequence", "Whitespace", "WhitespaceSplit"])
        }
    }
}
