import DualTorch

/// The activations that checkpoints name in `hidden_act`. Reference: transformers' `ACT2FN`.
public enum Activation: String, CaseIterable, Sendable, Codable {
    case gelu
    case geluNew = "gelu_new"
    case geluTanh = "gelu_pytorch_tanh"
    case relu
    case silu
    case swish
    case tanh

    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        switch self {
        case .gelu: try x.gelu()
        case .geluNew, .geluTanh: try x.gelu(approximatingByTanh: true)
        case .relu: try x.relu()
        case .silu, .swish: try x.silu()
        case .tanh: try x.tanh()
        }
    }
}
