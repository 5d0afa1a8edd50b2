/// A fused kernel: the operators `duallora::*` (CTorch's `Kernels/`) that compute one function and its
/// gradients, a case each under its full name, and the declaration of what they take.
///
/// Operators record no graph and are called by the kernel's typed functions alone. What a kernel does not
/// take goes through the plain expression that stands where it is called.
package protocol FusedKernel: RawRepresentable<String>, CaseIterable, Sendable {
    static var support: KernelSupport { get }
}

extension FusedKernel {
    /// Whether the kernel computes with these tensors: see ``KernelSupport/takes(_:weights:factors:)``.
    package static func takes(
        _ values: Tensor?..., weights: [Tensor?] = [], factors: [Tensor?] = []
    ) -> Bool {
        takes(values, weights: weights, factors: factors)
    }

    static func takes(
        _ values: [Tensor?], weights: [Tensor?] = [], factors: [Tensor?] = []
    ) -> Bool {
        let takes = support.takes(values, weights: weights, factors: factors)
        if !takes { PlainExpressions.count(self) }
        return takes
    }

    /// Calls the operator: a tensor for each of its results, nil for one that it does not give.
    @discardableResult
    func callAsFunction(_ arguments: [OperatorValue]) throws -> [Tensor?] {
        try callOperator(rawValue, arguments).map {
            if case .tensor(let tensor) = $0 { tensor } else { nil }
        }
    }

    /// The only result of the operator.
    func result(_ arguments: [OperatorValue]) throws -> Tensor { try call(rawValue, arguments) }

    /// Both results of an operator that has two.
    func pair(_ arguments: [OperatorValue]) throws -> (Tensor, Tensor) {
        let results = try self(arguments)
        guard results.count == 2, let first = results[0], let second = results[1] else {
            throw Tensor.missingResult(of: rawValue)
        }
        return (first, second)
    }
}
