/// Text that cannot be generated as asked.
public enum GenerationError: Error, Equatable, CustomStringConvertible {
    case badOption(name: String, reason: String)
    case noPrompts
    case emptyPrompt(number: Int)
    case noTokenizer
    case noRoom(tokens: Int, positions: Int)
    case notFinite(row: Int, token: Int)
    case nothingAllowed(row: Int, token: Int)

    public var description: String {
        switch self {
        case .badOption(let name, let reason): "`\(name)`: \(reason)"
        case .noPrompts: "there is no prompt"
        case .emptyPrompt(let number):
            "prompt \(number) has no tokens, and the tokenizer puts none before it"
        case .noTokenizer: "text needs the model's tokenizer; without one, give token ids"
        case .noRoom(let tokens, let positions):
            "the conversation has \(tokens) tokens, and the model has \(positions) positions: there "
                + "is no room for an answer"
        case .notFinite(let row, let token):
            "the model's scores of token \(token) after prompt \(row) are not numbers"
        case .nothingAllowed(let row, let token):
            "no token may be chosen as token \(token) after prompt \(row): the options exclude all"
        }
    }
}
