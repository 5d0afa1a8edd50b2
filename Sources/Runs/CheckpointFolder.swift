import DualAdapters
import DualTasks
import DualTorch
import DualTraining
import Foundation

/// The `checkpoints/` of a run: what is needed to go on as if nothing had happened.
///
/// A checkpoint is a folder `step-000200` with the trained tensors, the adapter's state, the
/// optimizer's moments and the random state in `state.safetensors`, what had the lowest dev loss in
/// `best.safetensors` where the run keeps it, and the progress in `state.json`. It is written aside, synced and renamed, so that one that has its name is whole.
package struct CheckpointFolder {
    package let url: URL
    /// What must be the same for a resumed run to continue this one.
    private let identity: RunIdentity
    private static let kept = 2

    init(_ url: URL, identity: RunIdentity) {
        self.url = url
        self.identity = identity
    }

    /// - Parameter url: a folder to look into.
    package init(_ url: URL) { self.init(url, identity: RunIdentity()) }

    /// What `state.json` holds.
    private struct Record: Codable {
        var progress: TrainerState.Progress
        var identity: RunIdentity
    }

    /// Checkpoints, oldest first.
    package var all: [URL] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.filter { $0.hasPrefix("step-") }.sorted().map(url.appendingPathComponent)
    }

    package var newest: URL? { all.last }

    /// Writes a checkpoint and removes all but the newest two.
    func write(_ state: TrainerState) throws -> URL {
        let manager = FileManager.default
        let digits = String(state.step)
        let name = "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        let target = url.appendingPathComponent(name)
        let aside = url.appendingPathComponent(".\(name).partial")
        do {
            try? manager.removeItem(at: aside)
            try manager.createDirectory(at: aside, withIntermediateDirectories: true)
            try SafetensorsWriter.write(
                state.tensors, to: aside.appendingPathComponent(Self.stateName))
            if let best = state.best {
                try SafetensorsWriter.write(
                    best, to: aside.appendingPathComponent(Self.bestName))
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            let record = Record(progress: state.progress, identity: identity)
            try AtomicFile.write(
                encoder.encode(record), to: aside.appendingPathComponent("state.json"))
            try? manager.removeItem(at: target)
            try manager.moveItem(at: aside, to: target)
        } catch {
            try? manager.removeItem(at: aside)
            throw error
        }
        for old in all.dropLast(Self.kept) { try? manager.removeItem(at: old) }
        return target
    }

    /// Puts a trainer where the newest checkpoint left it.
    /// - Returns: steps done.
    /// - Throws: ``RunError`` when there is none, or when it is of another run.
    func restore(_ trainer: Trainer) throws -> Int {
        guard let newest else {
            throw RunError.nothingToResume(folder: url.deletingLastPathComponent().path)
        }
        let record = try Self.record(of: newest)
        if let difference = record.identity.difference(to: identity) {
            throw RunError.otherRun(checkpoint: newest.path, difference: difference)
        }
        let file = try SafetensorsFile(newest.appendingPathComponent(Self.stateName))
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in try trainer.state.tensors {
            tensors[name] = try Self.tensor(name, like: tensor, in: file)
        }
        try trainer.restore(
            TrainerState(
                progress: record.progress, tensors: tensors,
                best: try best(for: trainer, of: record.progress, in: newest)))
        return record.progress.step
    }

    private static func record(of checkpoint: URL) throws -> Record {
        func bad(_ reason: String) -> RunError {
            .badCheckpoint(path: checkpoint.path, reason: reason)
        }
        let data: Data
        do {
            data = try Data(contentsOf: checkpoint.appendingPathComponent("state.json"))
            return try JSONDecoder().decode(Record.self, from: data)
        } catch DecodingError.typeMismatch, DecodingError.keyNotFound {
            throw bad(
                "an earlier version of duallora wrote it, without a word on the base model and the "
                    + "examples; without `resume` the run starts anew")
        } catch {
            throw bad("state.json does not decode")
        }
    }

    /// What the run was that left the newest checkpoint, where that can be told.
    var newestIdentity: RunIdentity? {
        newest.flatMap { try? Self.record(of: $0).identity }
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

    package func remove() { try? FileManager.default.removeItem(at: url) }

    private static let stateName = "state.safetensors"
    private static let bestName = "best.safetensors"
}
