/// A function of one number, which the kernels apply element by element, in float32.
package enum ElementFunction: String, CaseIterable, Sendable {
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
