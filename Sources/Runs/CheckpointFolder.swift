import DualAdapters
import DualTasks
import DualTorch
import DualTraining
import Foundation

/// The `checkpoints/` of a run: what is needed to go on as if nothing had happened.
///
/// A checkpoint is a folder `step-00000200` with the trained tensors, the adapter's state, the
/// optimizer's moments and the random state in `state.safetensors`, what had the lowest dev loss in
/// `best.safetensors` where the run keeps it, and in `state.json` the progress with digests of all three.
/// It is written aside, synced and renamed, so that one that has its name was whole then.
package struct CheckpointFolder {
    package var url: URL
    /// What must be the same for a resumed run to continue this one.
    private let identity: RunIdentity
    /// What this run wrote last.
    private(set) var lastWritten: (step: Int, url: URL)?
    private static let kept = 2

    init(_ url: URL, identity: RunIdentity) {
        self.url = url
        self.identity = identity
    }

    /// - Parameter url: a folder to look into.
    package init(_ url: URL) { self.init(url, identity: RunIdentity()) }

    /// The same run's checkpoints in another place.
    func elsewhere(_ url: URL) -> CheckpointFolder { CheckpointFolder(url, identity: identity) }

    /// Checkpoints, oldest first.
    package var all: [URL] {
        names.compactMap { name in Self.step(of: name).map { (step: $0, name: name) } }
            .sorted { $0.step < $1.step }.map { url.appendingPathComponent($0.name) }
    }

    package var newest: URL? { all.last }

    private var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    }

    /// The step of a checkpoint by its name; nil for the name of none.
    private static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-") else { return nil }
        let digits = name.dropFirst("step-".count)
        return digits.allSatisfy { ("0"..."9").contains($0) } ? Int(digits) : nil
    }

    /// Writes a checkpoint and removes all but the newest two, and those of a course that the run went
    /// back from. Where there is no room, the older of two makes way.
    mutating func write(_ state: TrainerState) throws -> URL {
        let digits = String(state.step)
        let name = "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        do {
            try write(state, as: name)
        } catch let error as SafetensorsError {
            let others = all.filter { $0.lastPathComponent != name }
            guard others.count > 1 else { throw error }
            try? FileManager.default.removeItem(at: others[0])
            try write(state, as: name)
        }
        let written = url.appendingPathComponent(name)
        lastWritten = (state.step, written)
        for late in all where Self.step(of: late.lastPathComponent) ?? 0 > state.step {
            try? FileManager.default.removeItem(at: late)
        }
        for old in all.dropLast(Self.kept) { try? FileManager.default.removeItem(at: old) }
        return written
    }

    private func write(_ state: TrainerState, as name: String) throws {
        let manager = FileManager.default
        let aside = url.appendingPathComponent(".\(name).partial")
        UnfinishedFiles.add(aside)
        defer {
            try? manager.removeItem(at: aside)
            UnfinishedFiles.drop(aside)
        }
        try? manager.removeItem(at: aside)
        do {
            try manager.createDirectory(at: aside, withIntermediateDirectories: true)
        } catch {
            throw SafetensorsError.unwritable(
                file: aside.path, reason: OutputFolder.reason(error))
        }
        var digests: [String: String] = [:]
        for (name, tensors) in [(Self.stateName, state.tensors), (Self.bestName, state.best)] {
            guard let tensors else { continue }
            try SafetensorsWriter.write(tensors, to: aside.appendingPathComponent(name))
            digests[name] = try Fingerprint.digest(of: tensors)
        }
        let record = CheckpointRecord(
            progress: state.progress, identity: identity, digests: digests)
        try AtomicFile.write(record.data(), to: aside.appendingPathComponent("state.json"))
        let target = url.appendingPathComponent(name)
        try? manager.removeItem(at: target)
        guard rename(aside.path, target.path) == 0 else {
            throw SafetensorsError.unwritable(
                file: target.path, reason: String(cString: strerror(errno)))
        }
    }

    /// - Throws: ``RunError/nothingToResume(folder:)``.
    func checkHasAny() throws {
        guard newest == nil else { return }
        throw RunError.nothingToResume(folder: url.deletingLastPathComponent().path)
    }

    /// Puts a trainer where the newest whole checkpoint left it.
    /// - Returns: steps done, and what was passed over, in sentences.
    /// - Throws: ``RunError`` when there is none, or when it is of another run.
    func restore(_ trainer: Trainer) throws -> (step: Int, notes: [String]) {
        try checkHasAny()
        var notes = names.sorted().filter { !$0.hasPrefix(".") && Self.step(of: $0) == nil }.map {
            "\(url.appendingPathComponent($0).path) is no checkpoint and is passed over"
        }
        var faults: [any Error] = []
        for checkpoint in all.reversed() {
            do {
                let step = try restore(trainer, from: checkpoint)
                notes += faults.map {
                    "\($0); the run goes on from the checkpoint before it, "
                        + checkpoint.lastPathComponent
                }
                return (step, notes)
            } catch  where Self.isDamage(error) {
                faults.append(error)
            }
        }
        if faults.count == 1 { throw faults[0] }
        throw RunError.badCheckpoint(
            path: url.path,
            reason: "no checkpoint is whole: " + faults.map { "\($0)" }.joined(separator: "; "))
    }

    /// Whether an older checkpoint may be whole where this is wrong with one.
    private static func isDamage(_ error: any Error) -> Bool {
        if case .badCheckpoint? = error as? RunError { return true }
        return error is SafetensorsError
    }

    private func restore(_ trainer: Trainer, from checkpoint: URL) throws -> Int {
        let record = try CheckpointRecord(of: checkpoint)
        if let difference = record.identity.difference(to: identity) {
            throw RunError.otherRun(checkpoint: checkpoint.path, difference: difference)
        }
        guard record.progress.step == Self.step(of: checkpoint.lastPathComponent) else {
            throw RunError.badCheckpoint(
                path: checkpoint.path, reason: "state.json is of step \(record.progress.step)")
        }
        let file = try SafetensorsFile(checkpoint.appendingPathComponent(Self.stateName))
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in try trainer.state.tensors {
            tensors[name] = try Self.tensor(name, like: tensor, in: file)
        }
        try record.check(tensors, of: Self.stateName, in: checkpoint)
        let best = try best(for: trainer, of: record.progress, in: checkpoint)
        if let best { try record.check(best, of: Self.bestName, in: checkpoint) }
        try trainer.restore(
            TrainerState(progress: record.progress, tensors: tensors, best: best))
        return record.progress.step
    }

    /// What the run was that left the newest checkpoint that tells it.
    var newestIdentity: RunIdentity? {
        all.reversed().lazy.compactMap { try? CheckpointRecord(of: $0).identity }.first
    }

    /// What had the lowest dev loss when the checkpoint was written; nil where the run keeps none.
    private func best(
        for trainer: Trainer, of progress: TrainerState.Progress, in checkpoint: URL
    ) throws -> [String: Tensor]? {
        guard trainer.options.keepsBest, progress.devLosses?.bestStep != nil else { return nil }
        let file = try SafetensorsFile(checkpoint.appendingPathComponent(Self.bestName))
        var best: [String: Tensor] = [:]
        for (name, tensor) in trainer.trainee.trainedState {
            best[name] = try Self.tensor(name, like: tensor, in: file).cloned()
        }
        return best
    }

    /// A tensor of a checkpoint's file, which must have the shape of the run's own.
    private static func tensor(
        _ name: String, like own: Tensor, in file: SafetensorsFile
    ) throws -> Tensor {
        let stored = try file.tensor(name)
        guard stored.shape == own.shape else {
            throw RunError.badCheckpoint(
                path: file.url.path,
                reason: "'\(name)' has shape \(stored.shape), not \(own.shape)")
        }
        return stored
    }

    package func remove() {
        try? FileManager.default.removeItem(at: url)
    }

    private static let stateName = "state.safetensors"
    private static let bestName = "best.safetensors"
}
