import DualTraining

extension FineTuningRun {
    /// The run as a sequence of its events, the last of which is its result. Nothing happens before the
    /// first is asked for; cancelling the task stops the run, which leaves a checkpoint.
    ///
    /// ```swift
    /// for try await event in run.events() {
    ///     if case .running(.training(.step(let step))) = event { print(step.step, step.loss) }
    ///     if case .finished(let result) = event { print(result.value ?? .nan) }
    /// }
    /// ```
    public func events() -> TrainingEvents<Progress> {
        let run = self
        return TrainingEvents { shouldStop, report in
            let result = try run.run(shouldStop: shouldStop) { try report(.running($0)) }
            try report(.finished(result))
        }
    }

    /// What ``events()`` tells.
    public enum Progress: Sendable {
        case running(Event)
        case finished(RunResult)
    }
}
