import DualTorch
import DualTraining
import Foundation

/// What a checkpoint's `state.json` holds.
struct CheckpointRecord: Codable {
    var progress: TrainerState.Progress
    var identity: RunIdentity
    /// Of the tensors of each file beside it, by the file's name; nil where an earlier version wrote none.
    var digests: [String: String]?
    /// Of all above.
    private var digest: String?

    init(progress: TrainerState.Progress, identity: RunIdentity, digests: [String: String]) {
        (self.progress, self.identity, self.digests) = (progress, identity, digests)
    }

    /// - Throws: ``RunError/badCheckpoint(path:reason:)``.
    init(of checkpoint: URL) throws {
        func bad(_ reason: String) -> RunError {
            .badCheckpoint(path: checkpoint.path, reason: reason)
        }
        let data: Data
        do {
            data = try Data(contentsOf: checkpoint.appendingPathComponent("state.json"))
        } catch {
            throw bad("state.json cannot be read: \(OutputFolder.reason(error))")
        }
        do {
            self = try JSONDecoder().decode(CheckpointRecord.self, from: data)
        } catch DecodingError.typeMismatch, DecodingError.keyNotFound {
            throw bad(
                "an earlier version of duallora wrote it, without a word on the base model and the "
                    + "examples, or its state.json was changed; `overwrite` starts the run anew")
        } catch {
            throw bad("state.json does not decode")
        }
        guard try digest == nil || digest == ownDigest() else {
            throw bad("state.json is not as it was written")
        }
    }

    /// The file's bytes.
    func data() throws -> Data {
        var record = self
        record.digest = try ownDigest()
        return try record.encoded()
    }

    private func ownDigest() throws -> String {
        var record = self
        record.digest = nil
        var fingerprint = Fingerprint()
        fingerprint.add(try record.encoded())
        return fingerprint.text
    }

    private func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }

    /// Checks that the tensors of a file are as they were written.
    /// - Throws: ``RunError/badCheckpoint(path:reason:)``.
    func check(_ tensors: [String: Tensor], of file: String, in checkpoint: URL) throws {
        guard let digest = digests?[file], try Fingerprint.digest(of: tensors) != digest else {
            return
        }
        throw RunError.badCheckpoint(
            path: checkpoint.path, reason: "\(file) is not as it was written")
    }
}

extension Fingerprint {
    /// A digest of tensors: of their names and all their bytes.
    static func digest(of tensors: [String: Tensor]) throws -> String {
        var fingerprint = Fingerprint()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            fingerprint.add(name)
            try tensor.detached().to(device: .cpu).contiguous().withBytes { fingerprint.add($0) }
        }
        return fingerprint.text
    }
}
