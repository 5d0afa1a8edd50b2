/// A function of one number, element by element, and the product of its values with others, in one pass
/// each way (CTorch's `activations.cpp`). Values in any layout.
enum ElementKernel: String, FusedKernel {
    case elementwise = "duallora::elementwise"
    case elementwiseBackward = "duallora::elementwise_backward"
    case gated = "duallora::gated"
    case gatedBackward = "duallora::gated_backward"

    static let support = KernelSupport(.cpu)

    /// f(x)
    static func map(_ x: Tensor, by function: ElementFunction) throws -> Tensor {
        try elementwise.result([.tensor(x), .string(function.rawValue)])
    }

    /// The gradient at x from that at f(x).
    static func gradient(
        from gradient: Tensor, at x: Tensor, of function: ElementFunction
    ) throws -> Tensor {
        try elementwiseBackward.result(
            [.tensor(gradient), .tensor(x), .string(function.rawValue)])
    }

    /// f(gate) · up
    static func gate(
        _ up: Tensor, by gate: Tensor, through function: ElementFunction
    ) throws -> Tensor {
        try gated.result([.tensor(gate), .tensor(up), .string(function.rawValue)])
    }

    /// The gradients at the gate and at up from that at f(gate) · up.
    static func gatedGradients(
        from gradient: Tensor, gate: Tensor, up: Tensor, of function: ElementFunction
    ) throws -> (gate: Tensor, up: Tensor) {
        try gatedBackward.pair(
            [.tensor(gradient), .tensor(gate), .tensor(up), .string(function.rawValue)])
    }
}
