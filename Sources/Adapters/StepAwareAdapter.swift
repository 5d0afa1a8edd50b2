import DualModules

/// An adapter that changes with the steps of training, such as one whose update is faded in.
public protocol StepAwareAdapter: AdapterPart {
    /// Called before every step, and once more after the last.
    func prepare(_ progress: TrainingProgress)
}
