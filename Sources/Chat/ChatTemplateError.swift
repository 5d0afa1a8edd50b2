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
        case .raised(let file, let line, let message):
            "\(file):\(line): the chat template refuses the conversation: \(message.excerpt(400))"
        case .failed(let file, let line, let reason): "\(file):\(line): \(reason.excerpt(400))"
        case .limit(let file, let line, let reason): "\(file):\(line): \(reason)"
        case .emptyConversation: "the conversation has no message"
        }
    }
}
