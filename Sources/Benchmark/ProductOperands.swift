import DualTorch

/// Random matrices to multiply with, one of each size.
final class ProductOperands {
    let dtype: DType
    private let generator: Generator
    private var made: [[Int]: Tensor] = [:]

    init(_ dtype: DType, using generator: Generator) {
        self.dtype = dtype
        self.generator = generator
    }

    func matrix(_ rows: Int, _ columns: Int) throws -> Tensor {
        if let known = made[[rows, columns]] { return known }
        let new = try Tensor.normal([rows, columns], dtype: dtype, using: generator)
        made[[rows, columns]] = new
        return new
    }
}

/// Milliseconds that a product takes, its result's release not counted.
func milliseconds(_ product: () throws -> Tensor) throws -> Double {
    let start = ContinuousClock.now
    let result = try product()
    return withExtendedLifetime(result) { start.millisecondsAgo }
}
