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

    public func callAsFunction(_ x: Tensor) throws -> Tensor { try x.mapped(by: function) }

    /// The activation of `gate`, times `up`.
    public func callAsFunction(_ gate: Tensor, gating up: Tensor) throws -> Tensor {
        try gate.gating(up, by: function)
    }

    private var function: ElementFunction {
        switch self {
        case .gelu: .gelu
        case .geluNew, .geluTanh: .geluTanh
        case .relu: .relu
        case .silu, .swish: .silu
        case .tanh: .tanh
        }
    }
}
