import CTorch

// What the functions share that are operators of this package, `duallora::*`.

/// Whether the kernels can compute with these tensors: on the CPU, all of one type, float32 or
/// bfloat16.
func kernelsTake(_ first: Tensor, _ others: Tensor?...) -> Bool {
    let type = ct_tensor_dtype(first.handle)
    guard type == DType.float32.scalarType || type == DType.bfloat16.scalarType else {
        return false
    }
    func isTaken(_ tensor: Tensor) -> Bool {
        ct_tensor_dtype(tensor.handle) == type
            && ct_tensor_device_type(tensor.handle) == Device.Kind.cpu.deviceType
    }
    for other in others {
        if let other, !isTaken(other) { return false }
    }
    return isTaken(first)
}

/// Whether an operation on these tensors becomes part of a graph.
func recordsGradients(_ inputs: Tensor?...) -> Bool {
    ct_grad_enabled() && inputs.contains { $0?.requiresGradient ?? false }
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
