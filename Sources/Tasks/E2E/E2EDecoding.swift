import DualGeneration

/// How the texts of a score are decoded.
public struct E2EDecoding: Equatable, Sendable {
    public var beams = 10
    /// A beam's score is the sum of its log-probabilities divided by its length, the end counted, to
    /// this power.
    public var lengthPenalty = 0.8
    /// No sequence of so many tokens comes twice in a text; the meaning's may come again.
    public var noRepeatNGram = 4
    public var maximumNewTokens = 64

    public init() {}

    func options(stopTokens: [Int]) -> GenerationOptions {
        var options = GenerationOptions()
        options.beams = beams
        options.lengthPenalty = lengthPenalty
        options.noRepeatNGram = noRepeatNGram
        options.repeatsPrompt = true
        options.maximumNewTokens = maximumNewTokens
        options.earlyStopping = .never
        options.stopTokens = stopTokens
        return options
    }
}
