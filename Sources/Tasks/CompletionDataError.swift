import DualTraining

/// Data that cannot be learnt from as it is.
public enum CompletionDataError: Error, Equatable, CustomStringConvertible {
    case noTemplate(place: String)
    case answerNotFound(message: Int)
    case badExample(place: String, reason: String)
    case onlyBadRows(count: Int, first: String)
    case noStopToken(stops: [String], end: AnswerEnd)
    case nothingLearnt(examples: Int, limit: Int)
    /// The same where `limit` is the number of the model's positions.
    case nothingLearntInPositions(examples: Int, limit: Int)
    case tooShort(sequences: Int, length: Int)

    /// What answers end with that never end with a stop token.
    public enum AnswerEnd: Equatable, Sendable {
        /// Another token that means something of its own.
        case token(String)
        /// Ordinary tokens of a text.
        case text(String)
        /// Nothing of theirs, for their ends are cut off.
        case cut
        /// The same where the model has no positions for more.
        case cutAtLastPosition

        fileprivate var advice: String {
            switch self {
            case .token(let token):
                "the answers end with \(token), which eos_token_id in generation_config.json should "
                    + "name"
            case .text(let text):
                "the answers end with ordinary tokens, \(text.debugDescription), and "
                    + "`chat-template` takes a template that ends them otherwise"
            case .cut: "a greater `max-length` may keep the ends that are cut off"
            case .cutAtLastPosition:
                "their ends are cut off where the model's positions end; shorter examples, or a model "
                    + "with more positions, keep them"
            }
        }
    }

    public var description: String {
        switch self {
        case .noTemplate(let place):
            "\(place): a conversation needs a chat template, and the model has none; "
                + "`chat-template` names a file of one, or alpaca or chatml"
        case .answerNotFound(let message):
            "the chat template writes what comes before message \(message) otherwise once the message "
                + "follows, as some write a system message only before the last question, so there is "
                + "no place to learn it at; another `chat-template` may have one, and `skip-bad-rows` "
                + "leaves such rows out"
        case .onlyBadRows(let count, let first):
            "none of \(count) rows can be used; the first: \(first)"
        case .badExample(let place, let reason): "\(place): \(reason)"
        case .noStopToken(let stops, let end):
            "no example teaches the model to stop: "
                + (stops.isEmpty
                    ? "neither the tokenizer nor generation_config.json names a token that ends a text"
                    : "\(stops.joined(separator: ", ")) is never learnt")
                + "; \(end.advice); `allow-no-stop` trains all the same"
        case .tooShort(let sequences, let length):
            "the data makes \(sequences) sequence(s) of up to \(length) tokens, of which none can be "
                + "held out to score on; give more, or `dev-data`, or, of long texts, a smaller "
                + "`max-length`"
        case .nothingLearnt(let examples, let limit):
            "none of \(examples) examples has a token to learn within its first \(limit) tokens; "
                + "a greater `max-length`, or for instruct another `truncation`, may help"
        case .nothingLearntInPositions(let examples, let limit):
            "none of \(examples) examples has a token to learn within its first \(limit) tokens, and "
                + "the model has positions for no more; for instruct another `truncation`, or a model "
                + "with more positions, may help"
        }
    }

    /// The same without advice that a model cannot follow that has no more positions.
    var atLastPosition: CompletionDataError {
        switch self {
        case .nothingLearnt(let examples, let limit):
            .nothingLearntInPositions(examples: examples, limit: limit)
        case .noStopToken(let stops, .cut): .noStopToken(stops: stops, end: .cutAtLastPosition)
        default: self
        }
    }
}
