/// Which of the two tokenizers a folder's files belong to.
enum BytePairFamily {
    case gpt2, roberta

    private struct TokenizerConfiguration: Decodable { let tokenizer_class: String? }
    private struct ModelConfiguration: Decodable { let model_type: String? }

    static func of(_ folder: TokenizerFolder) throws -> BytePairFamily {
        let name = TokenizerSettings.fileName
        let named = try folder.decodeIfPresent(TokenizerConfiguration.self, name)?.tokenizer_class
        if let named {
            switch named.hasSuffix("Fast") ? String(named.dropLast(4)) : named {
            case "GPT2Tokenizer": return .gpt2
            case "RobertaTokenizer", "BartTokenizer", "LongformerTokenizer": return .roberta
            default:
                throw TokenizerError.unsupportedType(
                    file: folder.path(name), field: "tokenizer_class", found: named,
                    supported: ["GPT2Tokenizer", "RobertaTokenizer"])
            }
        }
        switch try folder.decodeIfPresent(ModelConfiguration.self, "config.json")?.model_type {
        case "roberta", "bart", "longformer": return .roberta
        default: return .gpt2
        }
    }

    /// The tokens that no file names otherwise.
    var standardTokens: [TokenRole: String] {
        switch self {
        case .gpt2:
            [.beginning: "<|endoftext|>", .end: "<|endoftext|>", .unknown: "<|endoftext|>"]
        case .roberta:
            [
                .beginning: "<s>", .end: "</s>", .unknown: "<unk>", .separator: "</s>",
                .padding: "<pad>", .classification: "<s>", .mask: "<mask>",
            ]
        }
    }
}
