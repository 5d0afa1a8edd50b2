import DualAdapters
import DualTorch

// When a run scores its model, and what follows from the dev losses.
extension Trainer {
    /// Whether all steps are done, or so many scores were no better that no more shall be.
    var isOver: Bool {
        let stale = progress.devLosses?.scoresSinceBest ?? 0
        return progress.step >= totalSteps || options.patience.map { stale >= $0 } ?? false
    }

    /// Whether a score follows the steps done: at the start and the end, and on the way after every
    /// epoch, or every ``TrainingOptions/evaluationSteps``.
    var isAtEvaluation: Bool {
        if progress.step == 0 || isOver { return true }
        if let every = options.evaluationSteps { return progress.step % every == 0 }
        return plan.place(ofStep: progress.step).index == 0
    }

    /// Takes the scores after the steps done, and keeps what they say of the run: but before the first
    /// step, and after what a resumed run was told already.
    /// - Throws: ``TrainingError/interrupted(step:checkpoint:)``.
    func score(
        into store: (any TrainingStore)?, shouldStop: () -> Bool,
        _ report: (TrainingEvent) throws -> Void
    ) throws {
        var isStopped = false
        do {
            let record = try score { event in
                if case .scoring = event, shouldStop() {
                    isStopped = true
                    throw CancellationError()
                }
                try report(event)
            }
            if let record, progress.lacksScore ?? false { try note(record) }
            progress.lacksScore = nil
        } catch is CancellationError where isStopped {
            throw stopped(store)
        }
    }

    /// Takes the scores after the steps done, or the loss alone where more takes long; nil without a
    /// scorer.
    private func score(
        _ report: (TrainingEvent) throws -> Void
    ) throws -> EvaluationRecord? {
        guard let scorer else { return nil }
        prepareAdapters()
        guard scorer.isCostly else {
            return try evaluate(with: scorer, step: progress.step, report) {
                try report(.scoring($0))
            }
        }
        let loss = try scorer.loss(of: trainee.model) { try report(.scoring($0)) }
        let record = EvaluationRecord(step: progress.step, loss: loss)
        try report(.evaluated(record))
        return record
    }

    /// Takes all scores of the model as it stands.
    @discardableResult
    private func evaluate(
        with scorer: any Scorer, step: Int, isFinal: Bool? = nil,
        _ report: (TrainingEvent) throws -> Void, progress: (ScoringProgress) throws -> Void
    ) throws -> EvaluationRecord {
        let evaluation = try scorer.evaluate(trainee.model, progress: progress)
        if !evaluation.predictions.isEmpty { try report(.predicted(evaluation)) }
        var record = EvaluationRecord(step: step, evaluation)
        record.isFinal = isFinal
        try report(.evaluated(record))
        return record
    }

    /// The steps after which the model that the run ends with stood as it does.
    package var finalStep: Int {
        options.keepsBest ? progress.devLosses?.bestStep ?? progress.step : progress.step
    }

    /// Puts back what scored best, if the run is to end with that.
    func returnToBest() throws {
        if finalStep != progress.step, let best { try trainee.restore(best) }
        prepareAdapters(for: finalStep)
    }

    /// Takes the scores of what the run ends with, where they are still to be taken.
    func scoreEnd(
        shouldStop: () -> Bool, _ report: (TrainingEvent) throws -> Void
    ) throws {
        guard let scorer, finalStep != progress.step || scorer.isCostly else { return }
        try evaluate(with: scorer, step: finalStep, isFinal: true, report) {
            if shouldStop() { throw TrainingError.interruptedScore }
            try report(.scoring($0))
        }
    }

    /// Tells the adapters which step comes: that behind the steps done, unless another is named.
    func prepareAdapters(for step: Int? = nil) {
        trainee.adapter?.prepare(
            TrainingProgress(
                step: step ?? progress.step, totalSteps: totalSteps,
                warmupSteps: schedule.warmupSteps, startsTrained: trainee.startsTrained))
    }
}
