import DualChat
import DualGeneration
import DualModels
import DualTokenization

/// What turns a task's text into a model's numbers.
public struct TaskEncoder: Sendable {
    public let tokenizer: Tokenizer
    /// What puts conversations into words; nil where neither the model nor the user has one.
    public let template: ChatTemplate?
    /// The most tokens of an example: no more than the model has positions for.
    public let maximumLength: Int
    /// Tokens that end what the model generates.
    public let stopTokens: [Int]
    /// Draws the examples that score, where some are held out.
    public let seed: UInt64
    /// What became of a length that the user asked for, in sentences.
    public private(set) var notes: [String] = []
    /// Whether a greater ``maximumLength`` would be more than the model has positions for.
    private var isAtLastPosition = false

    public init(
        _ tokenizer: Tokenizer, template: ChatTemplate? = nil, maximumLength: Int,
        stopTokens: [Int] = [], seed: UInt64 = 0
    ) {
        self.tokenizer = tokenizer
        self.template = template?.completed(by: tokenizer)
        self.maximumLength = maximumLength
        self.stopTokens = stopTokens
        self.seed = seed
    }

    /// What encodes a task's examples for a model.
    /// - Parameters:
    ///   - folder: of the model; nil for a new one.
    ///   - maximumLength: what the user asks for; nil for the task's own.
    ///   - positions: the longest sequence that the model takes; nil for any.
    ///   - stopping: what ends a text, of what the model's folder says.
    package init(
        _ tokenizer: Tokenizer, for task: any TrainingTask, folder: ModelFolder?,
        template: ChatTemplate?, maximumLength: Int?, positions: Int?, seed: UInt64 = 0,
        stopTokens stopping: ([Int]) -> [Int] = { $0 }
    ) throws {
        let wanted = maximumLength ?? task.defaults.maximumLength
        let stopTokens =
            try folder.map { try GenerationOptions.stopTokens(of: $0, tokenizer: tokenizer) }
            ?? tokenizer.endOfTextID.map { [$0] } ?? []
        self.init(
            tokenizer, template: template, maximumLength: min(wanted, positions ?? wanted),
            stopTokens: stopping(stopTokens), seed: seed)
        guard let positions, wanted >= positions else { return }
        isAtLastPosition = true
        if let maximumLength, maximumLength > positions {
            notes = [
                "the model has positions for \(positions) tokens: examples are cut to "
                    + "\(positions), not to `max-length`, \(maximumLength)"
            ]
        }
    }

    /// Encodes something, and where that fails for want of tokens advises what the model's positions allow.
    public func advising<Encoded>(_ encode: () throws -> Encoded) throws -> Encoded {
        do {
            return try encode()
        } catch let error as CompletionDataError {
            throw isAtLastPosition ? error.atLastPosition : error
        }
    }
}
