import DualModules
import DualTorch

/// The products of a linear layer's size that a step of it cannot do without, as LibTorch does them.
struct LayerProducts {
    let layer: Linear
    /// Rows of the layer's input.
    let rows: Int
    /// Whether something below the layer trains, so that the gradient at its input is needed.
    let atInput: Bool
    /// Whether the gradient at its whole weight is.
    let atWeight: Bool

    /// How many there are: forward, gradient at the input, gradient at the weight.
    var count: Int { 1 + (atInput ? 1 : 0) + (atWeight ? 1 : 0) }

    /// Does the products of the forward.
    /// - Returns: milliseconds.
    func forward(_ operands: ProductOperands) throws -> Double {
        let weight = try layer.weight.value.detached().to(operands.dtype)
        let bias = try layer.bias?.value.detached().to(operands.dtype)
        let x = try operands.matrix(rows, layer.inputSize)
        return try milliseconds { try x.linear(weight, bias: bias) }
    }

    /// Does the products of the backward.
    func backward(_ operands: ProductOperands) throws -> Double {
        var sum = 0.0
        let gradient = try operands.matrix(rows, layer.outputSize)
        if atInput {
            let weight = try layer.weight.value.detached().to(operands.dtype)
            sum += try milliseconds { try gradient.matmul(weight) }
        }
        if atWeight {
            let x = try operands.matrix(rows, layer.inputSize)
            sum += try milliseconds { try gradient.transposed().matmul(x) }
        }
        return sum
    }

    private func milliseconds(_ product: () throws -> Tensor) throws -> Double {
        let start = ContinuousClock.now
        let result = try product()
        return withExtendedLifetime(result) { start.millisecondsAgo }
    }
}

extension [LayerProducts] {
    /// Does every product once, in the order of a step, outside the graph.
    /// - Returns: milliseconds of them all.
    func run(_ operands: ProductOperands) throws -> Double {
        try withoutGradient {
            try reduce(0) { try $0 + $1.forward(operands) }
                + reversed().reduce(0) { try $0 + $1.backward(operands) }
        }
    }
}

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
