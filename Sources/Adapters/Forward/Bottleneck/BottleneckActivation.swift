import DualModules
import DualTorch

/// The function between the two maps of a bottleneck.
public enum BottleneckActivation: String, CaseIterable, Sendable {
    case tanh, relu, gelu, silu
    /// Nothing: the bottleneck is linear.
    case identity

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        switch self {
        case .tanh: try Activation.tanh(x)
        case .relu: try Activation.relu(x)
        case .gelu: try Activation.gelu(x)
        case .silu: try Activation.silu(x)
        case .identity: x
        }
    }
}
