/// One continuation of one prompt.
public struct Generation: Sendable, Equatable {
    /// Why no token came any more.
    public enum Finish: String, Sendable {
        /// A stop token was generated.
        case stopToken = "stop-token"
        /// The text contains a stop string.
        case stopString = "stop-string"
        /// There is no room for more.
        case length
        /// The task was cancelled, or whoever asked for the text wanted no more.
        case cancelled
    }

    /// Which of the prompts it continues, from 0.
    public let prompt: Int
    /// Every new token as transformers would return it: with the stop token, or with the tokens that
    /// make up a stop string.
    public let ids: [Int]
    /// The text behind the prompt, without special tokens and cut before a stop string, which
    /// transformers keeps; nil without a tokenizer.
    public let text: String?
    /// Why there are no more tokens.
    public let finish: Finish
    /// How many tokens the prompt has.
    public let promptTokens: Int
    /// The sum of the tokens' log-probabilities divided by (their number)^lengthPenalty; only of
    /// beams.
    public let score: Double?

    /// The number of new tokens.
    public var tokens: Int { ids.count }
}
