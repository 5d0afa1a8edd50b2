import DualModels

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
