import DualTorch

/// How a weight starts that no checkpoint gives.
public enum Initialization: Sendable {
    case normal(deviation: Double)
    case zeros
    case ones

    /// A new tensor, drawn in the type that it has.
    package func tensor(
        _ shape: [Int], dtype: DType = .float32, using generator: Generator
    ) throws -> Tensor {
        switch self {
        case .normal(let deviation):
            try Tensor.normal(shape, deviation: deviation, dtype: dtype, using: generator)
        case .zeros: try Tensor.zeros(shape, dtype: dtype)
        case .ones: try Tensor.ones(shape, dtype: dtype)
        }
    }
}
