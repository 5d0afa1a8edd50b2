// What a run keeps on its way, when it is stopped, and when it cannot save what it trained.
extension Trainer {
    /// The most of the time of training that checkpoints after epochs take.
    private static let checkpointShare = 0.05

    /// Whether a checkpoint follows the steps done. At a run's end what was trained is saved.
    var isAtCheckpoint: Bool {
        if let every = options.checkpointSteps { return progress.step % every == 0 }
        return !isOver && plan.place(ofStep: progress.step).index == 0
            && checkpointSeconds <= Self.checkpointShare * progress.seconds
    }

    /// Writes a checkpoint. That it cannot be written, on a disk that is full for a while, is no reason to
    /// lose what is trained.
    func checkpoint(into store: any TrainingStore) -> TrainingEvent {
        let started = ContinuousClock.now
        defer { checkpointSeconds += started.secondsAgo }
        do {
            return .checkpoint(try store.writeCheckpoint(state))
        } catch {
            return .checkpointFailed("\(error)")
        }
    }

    /// Keeps a checkpoint of a run that is stopped; before the first step there is nothing to keep.
    func stopped(_ store: (any TrainingStore)?) -> TrainingError {
        guard progress.step > 0 else { return .interrupted(step: 0, checkpoint: nil) }
        do {
            return .interrupted(step: progress.step, checkpoint: try store?.keep(state))
        } catch {
            return .unsaved(reason: "\(error)", kept: nil, earlier: store?.newestCheckpoint)
        }
    }

    /// Keeps what was trained and could not be saved.
    /// - Parameter error: why it could not.
    func unsaved(_ error: any Error, _ store: (any TrainingStore)?) -> TrainingError {
        .unsaved(
            reason: "\(error)", kept: try? store?.keep(state), earlier: store?.newestCheckpoint)
    }
}
