import DualTorch
import DualTraining
import Foundation

extension Evaluation {
    /// Writes what the model predicted, a line each, whole or not at all.
    /// - Throws: `SafetensorsError.unwritable(file:reason:)`.
    func writePredictions(to file: URL) throws {
        try AtomicFile.write(Data(predictions.map { $0 + "\n" }.joined().utf8), to: file)
    }
}
