import DualModels
import DualModules
import DualTorch
import DualTraining
import Foundation

extension Fingerprint {
    /// A digest of the model that the run starts from: of its configuration, and of every tensor of its
    /// checkpoint the name, the type, the shape and 64 pieces of 64 bytes, evenly spread. It costs a few
    /// pages of each, not a pass over all; a change of only a few numbers may go unseen.
    static func digest(
        of base: FineTuningRun.Base, _ configuration: ConfigurationFile
    ) throws -> String {
        var fingerprint = Fingerprint()
        fingerprint.add(
            try JSONSerialization.data(
                withJSONObject: configuration.fieldsWithNulls, options: .sortedKeys))
        guard case .model(let place) = base else { return fingerprint.text }
        let folder = try ModelFolder(place)
        let tensors: any StoredTensors = try folder.gguf ?? Checkpoint(folder: place)
        for name in tensors.names {
            let stored = try tensors.stored(name).weight
            fingerprint.add("\(name) \(stored.storageName) \(stored.shape)")
            try stored.memory.withBytes { bytes in
                for piece in sample(of: bytes.count) {
                    fingerprint.add(UnsafeRawBufferPointer(rebasing: bytes[piece]))
                }
            }
        }
        return fingerprint.text
    }

    /// Up to 64 pieces of 64 bytes, the first and the last among them; all of what is no longer.
    private static func sample(of count: Int) -> [Range<Int>] {
        let (pieces, length) = (64, 64)
        guard count > pieces * length else { return [0..<count] }
        return (0..<pieces).map { piece in
            let start = piece * (count - length) / (pieces - 1)
            return start..<start + length
        }
    }
}
