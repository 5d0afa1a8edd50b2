import DualJSON

/// A chat template that cannot be read, or a conversation that it refuses.
public enum ChatTemplateError: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case badField(file: String, field: String, expected: String)
    case noTemplate(file: String, named: String, known: [String])
    /// The text is no template.
    case syntax(file: String, line: Int, reason: String)
    /// The text is a template that asks for more than chat templates of the known families do.
    case unsupported(file: String, line: Int, feature: String, supported: String?)
    /// The template cannot do without a name that nobody gave it a value for, such as a special token
    /// that the tokenizer lacks.
    case undefined(file: String, line: Int, name: String)
    /// The template never names what a conversation has, and would lose it.
    case notWritten(file: String, key: String)
    /// The template called `raise_exception`.
    case raised(file: String, line: Int, message: String)
    case failed(file: String, line: Int, reason: String)
    /// The template would run too long, or make too much.
    case limit(file: String, line: Int, reason: String)
    case emptyConversation

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .badField(let file, let field, let expected):
            "\(file): '\(field)' should be \(expected)"
        case .noTemplate(let file, let named, let known):
            "\(file) has no chat template named '\(named)'; it has: "
                + known.joined(separator: ", ")
        case .syntax(let file, let line, let reason): "\(file):\(line): \(reason.excerpt(400))"
        case .unsupported(let file, let line, let feature, let supported):
            "\(file):\(line): the chat template uses \(feature), which is not supported"
                + (supported.map { "; supported: \($0)" } ?? "")
        case .undefined(let file, let line, let name):
            "\(file):\(line): the chat template needs '\(name.excerpt())', which is undefined: "
                + (name.hasSuffix("_token")
                    ? "no file of the tokenizer names this token; tokenizer_config.json should"
                    : "`template-variables` can give it")
        case .notWritten(let file, let key):
            "'\(key)' would be lost, as the chat template \(file) never names it; another "
                + "`chat-template` may, or leave it out"
        case .raised(let file, let line, let message):
            "\(file):\(line): the chat template refuses the conversation: \(message.excerpt(400))"
        case .failed(let file, let line, let reason): "\(file):\(line): \(reason.excerpt(400))"
        case .limit(let file, let line, let reason): "\(file):\(line): \(reason)"
        case .emptyConversation: "the conversation has no message"
        }
    }

    /// Whether another conversation may do, as the fault is not the template's own.
    package var isOfConversation: Bool {
        switch self {
        case .raised, .failed, .limit, .emptyConversation, .notWritten: true
        case .unreadable, .badField, .noTemplate, .syntax, .unsupported, .undefined: false
        }
    }
}
