/// The cross-entropy of rows of logits, whose gradient takes their place (CTorch's `cross_entropy.cpp`).
enum CrossEntropyKernel: String, FusedKernel {
    case crossEntropy = "duallora::cross_entropy_"

    static let support = KernelSupport(.cpuContiguous)

    /// - Parameters:
    ///   - logits: (N, classes); with a scale, they become the gradient of the losses' sum times it.
    ///   - labels: (N) of int64, in contiguous memory.
    ///   - labelSmoothing: the share of a target that all classes have alike.
    /// - Returns: each row's loss (N) in float32.
    static func losses(
        _ logits: Tensor, _ labels: Tensor, gradientScale: Double?, labelSmoothing: Double
    ) throws -> Tensor {
        try crossEntropy.result([
            .tensor(logits), .tensor(labels), gradientScale.map(OperatorValue.double) ?? .none,
            .double(labelSmoothing),
        ])
    }
}
