import Foundation

/// What happens while a model is trained, for whoever shows or records it.
public enum TrainingEvent: Sendable {
    case step(StepRecord)
    case evaluated(EvaluationRecord)
    /// A score is taken whose predictions can be kept.
    case predicted(Evaluation)
    /// A checkpoint was written, with what messages call it, such as its path.
    case checkpoint(String)
    /// A checkpoint could not be written, for this reason; the training goes on.
    case checkpointFailed(String)
    /// A score goes on.
    case scoring(ScoringProgress)
    /// What was trained is saved; only a last score may follow.
    case trained
}
