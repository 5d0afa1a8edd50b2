import DualTorch

/// What a checkpoint keeps: all that a trainer needs to go on to the same bits.
public struct TrainerState {
    /// How far a run has come.
    package struct Progress: Codable, Equatable {
        package var step = 0
        package var tokens = 0
        package var seconds = 0.0
        /// Loss and steps since the last record.
        package var lossSum = 0.0
        package var lossSteps = 0
        /// nil before the first score.
        package var devLosses: DevLosses?
        /// true where the score that follows the steps done was stopped.
        package var lacksScore: Bool?

        package init() {}
    }

    package var progress: Progress
    /// By name: what trains, what the adapter remembers, the optimizers' moments and the random state.
    package var tensors: [String: Tensor]
    /// What trains as it was at the lowest dev loss, where the run is to end with that.
    package var best: [String: Tensor]?

    /// Optimizer steps done.
    public var step: Int { progress.step }

    package init(progress: Progress, tensors: [String: Tensor], best: [String: Tensor]?) {
        self.progress = progress
        self.tensors = tensors
        self.best = best
    }
}

extension Trainer {
    private static let randomName = "random.state"

    /// The state as it stands; its tensors are the trainer's own, and change with the next step.
    package var state: TrainerState {
        get throws {
            var tensors = optimizers.reduce(into: trainee.trainedState) { all, optimizer in
                all.merge(optimizer.state) { trained, _ in trained }
            }
            tensors[Self.randomName] = try generator.state()
            return TrainerState(
                progress: progress, tensors: try tensors.mapValues { try $0.detached() },
                best: best)
        }
    }

    /// Goes back, or on, to a state of the same run.
    /// - Parameter state: with a tensor for each name of ``state``, of its shape.
    package func restore(_ state: TrainerState) throws {
        try withoutGradient {
            for (name, tensor) in try self.state.tensors where name != Self.randomName {
                if let saved = state.tensors[name] { try tensor.copy(from: saved) }
            }
        }
        if let random = state.tensors[Self.randomName] { try generator.restore(random.cloned()) }
        progress = state.progress
        best = state.best
    }
}
