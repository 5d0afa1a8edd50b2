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

    /// Whether a checkpoint follows the steps done.
    var isAtCheckpoint: Bool {
        options.checkpointSteps.map { progress.step % $0 == 0 } ?? false
    }

    /// Takes the scores after the steps done, or the loss alone where more takes long; nil without a
    /// scorer.
    func score(_ report: (TrainingEvent) throws -> Void) throws -> EvaluationRecord? {
        guard let scorer else { return nil }
        prepareAdapters()
        let model = trainee.model
        let record =
            scorer.isCostly
            ? EvaluationRecord(
                step: progress.step, loss: try scorer.loss(of: model) { try report(.scoring($0)) })
            : EvaluationRecord(
                step: progress.step, try scorer.evaluate(model) { try report(.scoring($0)) })
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
        var record = EvaluationRecord(
            step: finalStep,
            try scorer.evaluate(trainee.model) {
                if shouldStop() { throw TrainingError.interruptedScore }
                try report(.scoring($0))
            })
        record.isFinal = true
        try report(.evaluated(record))
    }

    /// Tells the adapters which step comes: that behind the steps done, unless another is named.
    func prepareAdapters(for step: Int? = nil) {
        trainee.adapter?.prepare(
            TrainingProgress(
                step: step ?? progress.step, totalSteps: totalSteps,
                warmupSteps: schedule.warmupSteps))
    }
}
