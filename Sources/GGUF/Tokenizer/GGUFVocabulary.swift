import DualJSON

/// The tokens of a file with what each is for (`tokenizer.ggml.*`).
struct GGUFVocabulary {
    /// The enumeration `llama_token_type`.
    enum Kind: Int {
        case undefined, normal, unknown, control, userDefined, unused, byte
    }

    let tokens: [String]
    let kinds: [Kind]
    private let file: GGUFFile

    init(_ file: GGUFFile) throws {
        self.file = file
        let key = "tokenizer.ggml.tokens"
        tokens = try file.requiredTexts(key)
        guard !tokens.isEmpty else { throw file.bad(key, "has no token") }
        kinds = try Self.kinds(of: file, count: tokens.count)
    }

    private static func kinds(of file: GGUFFile, count: Int) throws -> [Kind] {
        let key = "tokenizer.ggml.token_type"
        guard let numbers = try file.numbers(key) else {
            return [Kind](repeating: .normal, count: count)
        }
        guard numbers.count == count else {
            throw file.bad(key, "has \(numbers.count) types for \(count) tokens")
        }
        return try numbers.enumerated().map { id, number in
            guard let kind = Int(exactly: number).flatMap(Kind.init) else {
                throw file.bad(key, "has the unknown type \(number) for token \(id)")
            }
            return kind
        }
    }

    /// The tokens that are found in a text as they are spelled, before all else.
    var wholeTokens: [(id: Int, token: String, isSpecial: Bool)] {
        kinds.indices.compactMap { id in
            switch kinds[id] {
            case .control, .unknown: (id, tokens[id], true)
            case .userDefined: (id, tokens[id], false)
            case .undefined, .normal, .unused, .byte: nil
            }
        }
    }

    /// The roles that transformers has names for, with the keys of their ids.
    private static let roles = [
        ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"),
        ("pad_token", "padding"), ("sep_token", "seperator"), ("mask_token", "mask"),
    ]

    /// The spellings of the tokens that have a part to play.
    func roles() throws -> [(name: String, token: String, id: Int)] {
        try Self.roles.compactMap { name, short in
            let key = "tokenizer.ggml.\(short)_token_id"
            guard let id = try file.count(key) else { return nil }
            guard id < tokens.count else {
                // llama.cpp's converter writes such for none.
                if id == Int(UInt32.max) { return nil }
                throw file.bad(key, "is \(id), but there are \(tokens.count) tokens")
            }
            return (name, tokens[id], id)
        }
    }
}
