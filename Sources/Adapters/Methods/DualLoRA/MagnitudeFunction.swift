import DualTorch

/// F of Dual LoRA's magnitude, F(B A); the names are those of `magnitude_fn`. Xu et al., table 6.
public enum MagnitudeFunction: String, CaseIterable, Sendable {
    /// max(M, 0), which leaves half of the weight alone: the paper's.
    case relu
    /// |M|
    case abs
    /// 1 / (1 + exp(-M)), which is 1/2 where M is 0.
    case sigmoid
    /// M: no function.
    case identity

    func value(_ product: Tensor) throws -> Tensor {
        switch self {
        case .relu: try product.relu()
        case .abs: try product.magnitude()
        case .sigmoid: try product.sigmoid()
        case .identity: product
        }
    }

    /// F'(M); nil for 1. At 0 that of relu and abs is 0.
    func derivative(_ product: Tensor) throws -> Tensor? {
        switch self {
        case .relu: return try (product > 0).to(product.dtype)
        case .abs:
            return try (product > 0).to(product.dtype) - (product < 0).to(product.dtype)
        case .sigmoid:
            let value = try product.sigmoid()
            return try value - value * value
        case .identity: return nil
        }
    }
}
