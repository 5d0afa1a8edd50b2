/// The form of a file's rows.
public enum InstructionFormat: String, CaseIterable, Sendable {
    /// instruction, input, output
    case alpaca
    /// prompt, completion
    case completion
    /// Messages with roles: OpenAI's `messages` or ShareGPT's `conversations`.
    case chat
    /// Text that is learnt whole.
    case text

    /// The fields without which a row is not of this form.
    var required: [InstructionFields.Field] {
        switch self {
        case .alpaca: [.instruction, .output]
        case .completion: [.prompt, .completion]
        case .chat: [.messages]
        case .text: [.text]
        }
    }

    /// The fields that are read of a row of this form.
    var read: [InstructionFields.Field] {
        switch self {
        case .alpaca: required + [.input, .system, .history, .tools]
        case .completion: required + [.tools]
        case .chat: required + [.system, .tools]
        case .text: required
        }
    }

    /// Other keys that are read of a row of this form.
    var otherKeys: [String] {
        switch self {
        case .alpaca, .text: []
        case .completion, .chat: ["functions", "documents", "chat_template_kwargs"]
        }
    }
}
