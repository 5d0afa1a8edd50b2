import DualModules
import DualTorch
import DualTraining

/// The products of a linear layer's size that a step of it cannot do without, as LibTorch does them.
struct LayerProducts {
    let layer: Linear
    /// Rows of the layer's input.
    let rows: Int
    /// Whether something below the layer trains, so that the gradient at its input is needed.
    let atInput: Bool
    /// Whether the gradient at its whole weight is, which trains itself.
    let atWeight: Bool

    var multiplyAdds: Int {
        MatrixProduct.linear(
            rows: rows, inputs: layer.inputSize, outputs: layer.outputSize, atInput: atInput,
            atWeight: atWeight
        ).reduce(0) { $0 + $1.multiplyAdds }
    }

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

}

/// All products that a step cannot do without: those of the layers, and the adapter's own.
struct StepProducts {
    /// In the order of the forward.
    let layers: [LayerProducts]
    let own: [MatrixProduct]

    /// The share of the adapter's own among all multiplications.
    var ownShare: Double {
        let own = own.reduce(0) { $0 + $1.multiplyAdds }
        return Double(own) / Double(layers.reduce(own) { $0 + $1.multiplyAdds })
    }

    /// Does every product once, the layers' in the order of a step, outside the graph.
    /// - Returns: milliseconds of them all.
    func run(_ operands: ProductOperands) throws -> Double {
        try withoutGradient {
            try layers.reduce(0) { try $0 + $1.forward(operands) }
                + layers.reversed().reduce(0) { try $0 + $1.backward(operands) }
                + own.reduce(0) { try $0 + $1.run(operands) }
        }
    }
}

extension MatrixProduct {
    /// - Returns: milliseconds.
    fileprivate func run(_ operands: ProductOperands) throws -> Double {
        let left =
            isLeftTransposed
            ? try operands.matrix(inner, rows).transposed() : try operands.matrix(rows, inner)
        let right = try operands.matrix(inner, columns)
        return try milliseconds { try left.matmul(right) }
    }
}

private func milliseconds(_ product: () throws -> Tensor) throws -> Double {
    let start = ContinuousClock.now
    let result = try product()
    return withExtendedLifetime(result) { start.millisecondsAgo }
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
