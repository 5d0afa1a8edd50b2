import DualModels
import DualModules
import DualTorch
import DualTraining
import Foundation

/// A model's folder with random weights, for ``StepBenchmark/weights``.
public enum RandomCheckpoint {
    /// Draws and writes one weight at a time.
    /// - Returns: how many tensors there are, and their bytes.
    /// - Throws: ``RunError/unwritable(path:reason:)`` also for a folder that has weights already:
    ///   random ones must not take the place of any.
    public static func write(
        _ configuration: URL, dtype: DType, seed: UInt64, to output: URL
    ) throws -> (tensors: Int, bytes: Int) {
        let file = try ConfigurationFile(configuration)
        let kept = (try? FileManager.default.contentsOfDirectory(atPath: output.path)) ?? []
        if let weights = kept.first(where: { $0.hasSuffix(".safetensors") }) {
            throw RunError.unwritable(
                path: output.path, reason: "it has weights already, \(weights)")
        }
        let folder = try OutputFolder(output)
        do {
            defer { folder.close() }
            return try ModelFolder.writeRandom(file, dtype: dtype, seed: seed, to: output)
        } catch {
            folder.removeIfCreated()
            throw error
        }
    }
}
