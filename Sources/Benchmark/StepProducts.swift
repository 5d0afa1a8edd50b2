import DualTorch

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
