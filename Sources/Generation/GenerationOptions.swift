/// How text is generated. The defaults and the meaning of each field are those of transformers'
/// `GenerationConfig`.
public struct GenerationOptions: Sendable, Equatable {
    /// The most tokens to generate; nil for as many as `maximumLength` leaves, or else for 20.
    public var maximumNewTokens: Int?
    /// The most tokens of a prompt and its continuation; counts only where `maximumNewTokens` is nil.
    public var maximumLength: Int?
    /// Stop tokens are not chosen before so many tokens are generated.
    public var minimumNewTokens = 0
    /// Whether tokens are drawn from their distribution; with a temperature of 0 they are not.
    public var sampling = false
    /// Scores are divided by it before a token is drawn; 0 takes the greatest.
    public var temperature = 1.0
    /// Draws among so many tokens of the greatest scores; 0 for all.
    public var topK = 50
    /// Draws among the fewest tokens whose probabilities together reach this share.
    public var topP = 1.0
    /// Draws among tokens at least so probable, as a share of the most probable one's.
    public var minP = 0.0
    /// Makes tokens of the prompt and the text so far less probable; 1 leaves them as they are.
    public var repetitionPenalty = 1.0
    /// Makes tokens of the prompt more probable, and less so below 1: positive scores are multiplied by
    /// it, negative ones divided; 1 leaves them as they are.
    public var encoderRepetitionPenalty = 1.0
    /// No sequence of so many tokens of the prompt comes again; 0 to allow it.
    public var encoderNoRepeatNGram = 0
    /// No sequence of so many tokens comes twice, the prompt counted; 0 to allow it.
    public var noRepeatNGram = 0
    /// Whether `noRepeatNGram` lets sequences of the prompt come again, as fairseq's search does;
    /// transformers' does not.
    public var repeatsPrompt = false
    /// Continuations that a beam search follows; 1 for no search.
    public var beams = 1
    /// A finished beam's score is divided by its number of new tokens to this power.
    public var lengthPenalty = 1.0
    /// When a search with beams ends.
    public var earlyStopping = EarlyStopping.heuristic
    /// Tokens that end a text; they stay its last token.
    public var stopTokens: [Int] = []
    /// Texts that end a continuation when it contains them.
    public var stopStrings: [String] = []
    /// Continuations of each prompt: the best beams, or independent draws.
    public var returnedSequences = 1
    /// Prompts that are continued at a time.
    public var batchSize = 8
    /// Decides the draws, together with a prompt's number and a continuation's among its own: neither
    /// the other prompts nor the batch size matter. PyTorch draws other numbers from one seed.
    public var seed: UInt64 = 0

    /// The options of a plain greedy search.
    public init() {}

    /// Whether tokens are drawn at all.
    public var draws: Bool { sampling && temperature > 0 }

    /// What transformers generates when nothing is said.
    static let defaultNewTokens = 20

    /// New tokens that ``maximumLength`` leaves behind a prompt; nil where it says nothing.
    /// - Parameter prompt: what has so many tokens, for the message.
    /// - Throws: ``GenerationError/badOption(name:reason:)`` where it leaves none.
    func roomInMaximumLength(behind length: Int, of prompt: String) throws -> Int? {
        guard let total = maximumLength else { return nil }
        guard total > length else {
            throw GenerationError.badOption(
                name: "max-tokens",
                reason: "must be given: \(prompt) has \(length) tokens, and the model's "
                    + "generation_config.json has a max_length of \(total)")
        }
        return total - length
    }

    /// - Throws: ``GenerationError/badOption(name:reason:)``.
    public func check() throws {
        try checkCounts()
        try checkNumbers()
        try checkCombinations()
    }

    private func require(_ holds: Bool, _ name: String, _ reason: String) throws {
        if !holds { throw GenerationError.badOption(name: name, reason: reason) }
    }

    private func checkCounts() throws {
        // The upper bounds are beyond any use, and keep products of the numbers in range.
        let counts = [
            ("max-tokens", maximumNewTokens ?? 1, 1, 10_000_000),
            ("min-tokens", minimumNewTokens, 0, 10_000_000), ("top-k", topK, 0, 10_000_000),
            ("no-repeat-ngram", noRepeatNGram, 0, 1_000_000),
            ("encoder_no_repeat_ngram_size", encoderNoRepeatNGram, 0, 1_000_000),
            ("beams", beams, 1, 1000),
            ("return", returnedSequences, 1, 1000), ("batch-size", batchSize, 1, 10_000),
        ]
        for (name, value, low, high) in counts {
            try require(low...high ~= value, name, "\(value) is not from \(low) to \(high)")
        }
    }

    private func checkNumbers() throws {
        try require(
            temperature >= 0 && temperature.isFinite, "temperature",
            "\(temperature) is not 0 or greater")
        try require(topP > 0 && topP <= 1, "top-p", "\(topP) is not greater than 0 and at most 1")
        try require(minP >= 0 && minP <= 1, "min-p", "\(minP) is not from 0 to 1")
        try require(
            repetitionPenalty > 0 && repetitionPenalty.isFinite, "repetition-penalty",
            "\(repetitionPenalty) is not greater than 0")
        try require(
            encoderRepetitionPenalty > 0 && encoderRepetitionPenalty.isFinite,
            "encoder_repetition_penalty", "\(encoderRepetitionPenalty) is not greater than 0")
        try require(
            abs(lengthPenalty) <= 100, "length-penalty", "\(lengthPenalty) is not from -100 to 100")
    }

    private func checkCombinations() throws {
        try require(!stopStrings.contains(""), "stop", "an empty text ends every continuation")
        if let maximumNewTokens {
            try require(
                minimumNewTokens <= maximumNewTokens, "min-tokens",
                "\(minimumNewTokens) is more than `max-tokens`, \(maximumNewTokens)")
        }
        try require(
            beams == 1 || !draws, "beams",
            "\(beams) beams do not go with sampling; `temperature` 0 turns it off")
        if beams > 1 {
            try require(
                returnedSequences <= beams, "return",
                "\(returnedSequences) is more than `beams`, \(beams)")
        } else {
            try require(
                returnedSequences == 1 || draws, "return",
                "\(returnedSequences) continuations of a prompt need `temperature` or `beams`")
        }
    }
}
