import DualBenchmark
import FineTuning
import Foundation

extension StepMeasurement {
    /// The measurement for people.
    var text: String {
        var lines = [
            "\(method) on \(config), \(batch) x \(length) tokens, \(dtype), \(threads) threads, "
                + instructionSet,
            "step: median \(medianMilliseconds) ms (\(leastMilliseconds)-\(mostMilliseconds)), "
                + "\(tokensPerSecond) tokens/s",
            "forward \(forwardMilliseconds) ms, backward \(backwardMilliseconds) ms, "
                + "optimizer \(optimizerMilliseconds) ms",
        ]
        if let limitMilliseconds, let timesLimit {
            lines.append(
                "its products alone\(ownText(ownShare)): median \(limitMilliseconds) ms; the step "
                    + "takes \(timesLimit) times that")
        }
        lines.append(
            "\(trainable.formatted) parameters train; at most \(peakMemoryMiB) MiB resident")
        if let weightsMiB, let peakWithoutWeightsMiB {
            lines.append(
                "weights: \(weightsMiB) MiB; at most \(peakWithoutWeightsMiB) MiB resident but for "
                    + "their file's pages")
        }
        return lines.joined(separator: "\n")
    }
}

extension LayerMeasurement {
    /// The measurement for people.
    var text: String {
        """
        \(method) on \(outputSize) x \(inputSize)\(isTransposed ? " stored transposed" : ""), \
        \(tokens) tokens, \(dtype), \(threads) threads, \(instructionSet)
        layer: median \(medianMilliseconds) ms (\(leastMilliseconds)-\(mostMilliseconds)): \
        forward \(forwardMilliseconds), backward \(backwardMilliseconds)
        its products alone\(ownText(ownShare)): median \(limitMilliseconds) ms; the layer takes \
        \(timesLimit) times that
        \(trainable.formatted) parameters train
        """
    }
}

/// What of the products is the method's own.
private func ownText(_ share: Double?) -> String {
    guard let share, share > 0 else { return "" }
    return " (of whose multiplications \((share * 1000).rounded() / 10) % are the adapter's own)"
}

/// A value as one line of JSON.
func jsonLine(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
