import DualTorch
import TestSupport
import Testing

/// A function's outputs and, with a seed for each of them, its gradients at the inputs.
///
/// In float64 the functions of this package take LibTorch's operators, to which their kernels are held.
struct Evaluation {
    let outputs: [Tensor]
    let gradients: [Tensor?]

    /// - Parameters:
    ///   - dtype: what inputs and seeds are converted to.
    ///   - seeded: the outputs that the gradients come from; nil for all.
    init(
        _ inputs: [Tensor], as dtype: DType, seeded: Set<Int>? = nil,
        _ function: ([Tensor]) throws -> [Tensor]
    ) throws {
        let leaves = try inputs.map { try $0.to(dtype).detached().requireGradient() }
        let outputs = try function(leaves)
        let chosen = outputs.indices.filter { seeded?.contains($0) ?? true }
        // Σ seed · output, whose gradient at an output is its seed.
        let terms = try chosen.map { index in
            let seed = try Tensor.seeded(
                outputs[index].shape, seed: 100 + UInt64(index), dtype: .bfloat16)
            return try (outputs[index] * seed.to(dtype)).to(.float64).sum()
        }
        let total = try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
        gradients = try total.gradients(with: leaves)
        self.outputs = outputs
    }

    /// Holds outputs and gradients to those of another, each within so many parts of its greatest
    /// element.
    func expectClose(
        to exact: Evaluation, _ tolerance: (outputs: Double, gradients: Double),
        _ name: @autoclosure () -> String, location: SourceLocation = #_sourceLocation
    ) throws {
        for (found, expected) in zip(outputs, exact.outputs) {
            #expect(
                try found.relativeDifference(to: expected) <= tolerance.outputs, "\(name())",
                sourceLocation: location)
        }
        for (index, (found, expected)) in zip(gradients, exact.gradients).enumerated() {
            #expect((found == nil) == (expected == nil), "\(name())", sourceLocation: location)
            guard let found, let expected else { continue }
            #expect(
                try found.relativeDifference(to: expected) <= tolerance.gradients,
                "\(name()), gradient \(index)", sourceLocation: location)
        }
    }
}

extension Tensor {
    /// max |self - other| by max |other|, or by 1 where that is less, for differences of numbers of
    /// about 1 may be near 0; infinite for another shape.
    func relativeDifference(to other: Tensor) throws -> Double {
        guard shape == other.shape else { return .infinity }
        let greatest = count == 0 ? 0 : try other.detached().magnitude().maximum().item()
        return try largestDifference(to: other) / max(greatest, 1)
    }
}

/// What a kernel may differ by from the exact result. bfloat16 rounds by 2⁻⁹ of a number, and where
/// sums are rounded before they are normalised, twice.
func tolerance(_ dtype: DType) -> (outputs: Double, gradients: Double) {
    dtype == .float32 ? (1e-6, 1e-5) : (8e-3, 8e-3)
}
