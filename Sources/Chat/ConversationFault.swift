/// JSON that should be a conversation and is none.
package enum ConversationFault: Error, Equatable {
    case notMessages
    case missing(message: Int, key: String)

    /// What is wrong, behind the name of the place.
    package var reason: String {
        switch self {
        case .notMessages: "no array of messages [{\"role\": ..., \"content\": ...}, ...]"
        case .missing(let message, let key): "message \(message) lacks '\(key)'"
        }
    }
}
