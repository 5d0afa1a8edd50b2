/// The size of a matrix product that a step makes: (rows, inner) by (inner, columns).
public struct MatrixProduct: Hashable, Sendable {
    public let rows, inner, columns: Int
    /// Whether the left matrix lies transposed in memory, as the gradient does that goes into one at a
    /// weight.
    public let isLeftTransposed: Bool

    public init(_ rows: Int, _ inner: Int, _ columns: Int, isLeftTransposed: Bool = false) {
        (self.rows, self.inner, self.columns) = (rows, inner, columns)
        self.isLeftTransposed = isLeftTransposed
    }

    /// Multiplications, each with its addition.
    public var multiplyAdds: Int { rows * inner * columns }

    /// The gradient gᵀ x at a weight (outputs, inputs).
    public static func atWeight(rows: Int, inputs: Int, outputs: Int) -> MatrixProduct {
        MatrixProduct(outputs, rows, inputs, isLeftTransposed: true)
    }

    /// What a step makes of x Wᵀ: forward, and the gradients at x and at W that are wanted.
    public static func linear(
        rows: Int, inputs: Int, outputs: Int, atInput: Bool = true, atWeight: Bool = true
    ) -> [MatrixProduct] {
        [MatrixProduct(rows, inputs, outputs)]
            + (atInput ? [MatrixProduct(rows, outputs, inputs)] : [])
            + (atWeight ? [.atWeight(rows: rows, inputs: inputs, outputs: outputs)] : [])
    }
}

/// What one training step leads through a part of an adapter.
public struct PartStep: Sendable {
    /// T: tokens, the rows of a layer's input.
    public let rows: Int
    /// In how many sequences they are.
    public let sequences: Int
    /// d and k of the part's layer; of a block, its hidden size both; of the one part of a whole model, the
    /// size of all heads' queries.
    public let outputSize, inputSize: Int
    /// Whether something before it trains, so that the gradient at its input is needed.
    public let atInput: Bool

    public init(rows: Int, sequences: Int = 1, outputSize: Int, inputSize: Int, atInput: Bool) {
        (self.rows, self.sequences) = (rows, sequences)
        (self.outputSize, self.inputSize) = (outputSize, inputSize)
        self.atInput = atInput
    }
}
