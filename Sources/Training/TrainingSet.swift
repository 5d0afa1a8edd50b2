import DualModels
import DualModules
import DualTorch

/// Examples in a model's own numbers, and what the model's loss on them is.
public protocol TrainingSet {
    /// Tokens of each example.
    var lengths: [Int] { get }
    /// How examples come together in a batch.
    var batching: Batching { get }

    /// Adds all that the examples are: their tokens, and what of them is learnt.
    func add(to fingerprint: inout Fingerprint)
    /// What the mean loss of the examples counts for in a step: how many things are predicted.
    func weight(of indices: [Int]) -> Int
    /// The mean loss of the examples, differentiable.
    func loss(
        of model: any TransformerModel, on indices: [Int], mode: ForwardMode
    ) throws -> Tensor
}

/// How examples come together in a batch.
public enum Batching: Equatable, Sendable {
    /// So many examples of like length, padded to one.
    case padded
    /// One behind the other without padding, up to so many tokens for each that a padded batch has.
    case packed(rowLength: Int)
}

/// How far a score has come.
public struct ScoringProgress: Equatable, Sendable {
    /// What is made of the examples: where text is generated, losses come first.
    public enum Stage: String, Sendable {
        case losses, answers
    }
    public let stage: Stage
    /// Examples.
    public let done: Int
    public let total: Int

    public init(stage: Stage, done: Int, total: Int) {
        self.stage = stage
        self.done = done
        self.total = total
    }
}

/// Scores a model on examples that it is not trained on.
public protocol Scorer {
    /// Whether ``evaluate(_:progress:)`` takes much longer than ``loss(of:progress:)``, as where text is
    /// generated: a run then asks for it once, at its end.
    var isCostly: Bool { get }

    /// Finds what a model could not be scored on: a run asks before its first step, for its scores may
    /// come hours later.
    func check(_ model: any TransformerModel) throws

    /// Adds the examples that the loss is of, by which a run may choose its best step.
    func add(to fingerprint: inout Fingerprint)

    /// - Parameter progress: hears of every batch.
    func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Evaluation

    /// The mean loss alone, as ``Evaluation/loss`` has it: what a run asks for between two epochs, where
    /// the metrics take long. Scorers that generate text compute it without generating any.
    /// - Parameter progress: hears of every batch.
    func loss(
        of model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Double
}

extension Scorer {
    public var isCostly: Bool { false }

    public func check(_ model: any TransformerModel) throws {}

    public func add(to fingerprint: inout Fingerprint) {}

    public func loss(
        of model: any TransformerModel, progress: (ScoringProgress) throws -> Void = { _ in }
    ) throws -> Double {
        try evaluate(model, progress: progress).loss
    }
}

extension TransformerModel {
    /// Checks that prompts and what is to be written behind them have positions.
    /// - Parameter prompts: their tokens.
    /// - Throws: ``TrainingError/noRoom(prompt:new:positions:)``.
    package func checkRoom(for new: Int, behind prompts: [[Int]]) throws {
        let longest = prompts.map(\.count).max() ?? 0
        // The last new token is not read, and needs no position.
        guard let positions = maximumLength, longest + new - 1 > positions else { return }
        throw TrainingError.noRoom(prompt: longest, new: new, positions: positions)
    }
}

/// What a model scores on a task.
public struct Evaluation: Sendable {
    /// The mean loss of what is predicted.
    public let loss: Double
    /// The primary metric first.
    public let metrics: [(name: String, value: Double)]
    public let exampleCount: Int

    public init(loss: Double, metrics: [(name: String, value: Double)], exampleCount: Int) {
        self.loss = loss
        self.metrics = metrics
        self.exampleCount = exampleCount
    }

    public var value: Double { metrics.first?.value ?? .nan }
}
