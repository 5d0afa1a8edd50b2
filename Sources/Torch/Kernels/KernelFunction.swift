import CTorch

/// As ``customFunction(_:of:forward:backward:)`` with a backward of operators that record no graph,
/// which therefore refuses to be differentiated in its turn.
func kernelFunction(
    _ name: String, of inputs: [Tensor], forward: () throws -> [Tensor],
    backward: @escaping BackwardFunction
) throws -> [Tensor] {
    try customFunction(name, of: inputs, forward: forward) { gradients, needed in
        guard !ct_grad_enabled() else {
            throw TorchError(
                operation: name, message: "its gradient cannot be differentiated again")
        }
        return try backward(gradients, needed)
    }
}
