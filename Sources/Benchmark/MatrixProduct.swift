/// The size of a matrix product that a step makes: (rows, inner) by (inner, columns).
package struct MatrixProduct: Hashable, Sendable {
    package let rows, inner, columns: Int
    /// Whether the left matrix lies transposed in memory, as the gradient does that goes into one at a
    /// weight.
    package let isLeftTransposed: Bool

    package init(_ rows: Int, _ inner: Int, _ columns: Int, isLeftTransposed: Bool = false) {
        (self.rows, self.inner, self.columns) = (rows, inner, columns)
        self.isLeftTransposed = isLeftTransposed
    }

    /// Multiplications, each with its addition.
    package var multiplyAdds: Int { rows * inner * columns }

    /// The gradient gᵀ x at a weight (outputs, inputs).
    package static func atWeight(rows: Int, inputs: Int, outputs: Int) -> MatrixProduct {
        MatrixProduct(outputs, rows, inputs, isLeftTransposed: true)
    }

    /// What a step makes of x Wᵀ: forward, and the gradients at x and at W that are wanted.
    package static func linear(
        rows: Int, inputs: Int, outputs: Int, atInput: Bool = true, atWeight: Bool = true
    ) -> [MatrixProduct] {
        [MatrixProduct(rows, inputs, outputs)]
            + (atInput ? [MatrixProduct(rows, outputs, inputs)] : [])
            + (atWeight ? [.atWeight(rows: rows, inputs: inputs, outputs: outputs)] : [])
    }
}
