/// A function of one number, which the kernels apply element by element, in float32.
public enum ElementFunction: String, CaseIterable, Sendable {
    /// x σ(x)
    case silu
    /// x Φ(x)
    case gelu
    /// The approximation of ``gelu`` by tanh.
    case geluTanh = "gelu_tanh"
    case relu
    case tanh
    case errorFunction = "erf"
    case exponential = "exp"

    /// The function by LibTorch's operator.
    func plain(_ x: Tensor) throws -> Tensor {
        switch self {
        case .silu: try x.silu()
        case .gelu: try x.gelu()
        case .geluTanh: try x.gelu(approximatingByTanh: true)
        case .relu: try x.relu()
        case .tanh: try x.tanh()
        case .errorFunction: try call("aten::erf", [.tensor(x)])
        case .exponential: try x.exponential()
        }
    }
}

extension Tensor {
    /// f of each element, in one pass each way; `self` is kept for the backward.
    public func mapped(by function: ElementFunction) throws -> Tensor {
        guard kernelsTake(self) else { return try function.plain(self) }
        let name = OperatorValue.string(function.rawValue)
        func forward() throws -> Tensor {
            try call("duallora::elementwise", [.tensor(self), name])
        }
        guard recordsGradients(self) else { return try forward() }
        return try kernelFunction(function.rawValue, of: [self]) {
            [try forward()]
        } backward: { gradients, _ in
            [
                try gradients[0].map {
                    try call("duallora::elementwise_backward", [.tensor($0), .tensor(self), name])
                }
            ]
        }[0]
    }

    /// f(self) · up, in one pass each way; both factors are kept for the backward, and nothing else.
    /// Shazeer 2020, arXiv:2002.05202.
    public func gating(_ up: Tensor, by function: ElementFunction) throws -> Tensor {
        guard kernelsTake(self, up) else { return try function.plain(self) * up }
        let name = OperatorValue.string(function.rawValue)
        func forward() throws -> Tensor {
            try call("duallora::gated", [.tensor(self), .tensor(up), name])
        }
        guard recordsGradients(self, up) else { return try forward() }
        return try kernelFunction("gated \(function.rawValue)", of: [self, up]) {
            [try forward()]
        } backward: { gradients, _ in
            guard let gradient = gradients[0] else { return [nil, nil] }
            return try callOperator(
                "duallora::gated_backward",
                [.tensor(gradient), .tensor(self), .tensor(up), name]
            ).map(\.tensor)
        }[0]
    }
}
