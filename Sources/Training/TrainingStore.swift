/// What keeps what must outlast a trainer: its records, its checkpoints and what it trained.
///
/// The trainer knows no folder; that of a run is one such store.
public protocol TrainingStore {
    /// Hears of every event, before whoever shows it.
    func record(_ event: TrainingEvent) throws

    /// Whether the scores after a step are recorded already, as those are that a resumed run went on from.
    func hasEvaluation(afterStep step: Int) -> Bool

    /// Keeps a state to go on from.
    /// - Returns: what messages call it, such as a path.
    func writeCheckpoint(_ state: TrainerState) throws -> String

    /// Keeps the state of a run that ends here, wherever there is room for it: what was trained would be
    /// lost with it.
    /// - Returns: what messages call it, such as a path.
    func keep(_ state: TrainerState) throws -> String

    /// What messages call the newest state that is kept; nil for none.
    var newestCheckpoint: String? { get }

    /// Keeps what was trained. The last score may take long, and fail: this comes before it.
    func save(_ trainee: Trainee) throws
}

extension TrainingStore {
    public func keep(_ state: TrainerState) throws -> String { try writeCheckpoint(state) }
}
