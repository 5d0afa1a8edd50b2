import CTorch

// What the functions share that are operators of this package, `duallora::*`.

/// Whether the kernels can compute with these tensors: on the CPU, all of one type, float32 or
/// bfloat16.
func kernelsTake(_ tensors: [Tensor?]) -> Bool {
    let present = tensors.compactMap { $0 }
    guard let dtype = present.first?.dtype, dtype == .float32 || dtype == .bfloat16 else {
        return false
    }
    return present.allSatisfy {
        $0.dtype == dtype && ct_tensor_device_type($0.handle) == Device.Kind.cpu.deviceType
    }
}

/// Whether an operation on these tensors becomes part of a graph.
func recordsGradients(_ inputs: [Tensor]) -> Bool {
    ct_grad_enabled() && inputs.contains(where: \.requiresGradient)
}

/// As ``customFunction(_:of:forward:backward:)`` with a backward of operators that record no graph,
/// which therefore refuses to be differentiated in its turn.
func kernelFunction(
    _ name: String, of inputs: [Tensor], forward: () throws -> [Tensor],
    backward: @escaping BackwardFunction
) throws -> [Tensor] {
    try customFunction(name, of: inputs, forward: forward) { gradients, needed in
        guard !ct_grad_enabled() else {
            throw TorchError(
                operation: name, message: "its gradient cannot be differentiated again",
                isOutOfMemory: false)
        }
        return try backward(gradients, needed)
    }
}

extension OperatorValue {
    /// The tensor, unless the operator gave none.
    var tensor: Tensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }
}
