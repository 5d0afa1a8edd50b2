import DualModules
import DualTorch

/// The products of a linear layer's size that a step of it cannot do without, as LibTorch does them.
struct LayerProducts {
    let layer: Linear
    /// Rows of the layer's input.
    let rows: Int
    /// Whether something below the layer trains, so that the gradient at its input is needed.
    let atInput: Bool
    /// Whether the layer's own weight trains, so that the gradient at all of it is needed.
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
