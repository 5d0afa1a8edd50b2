/// What one training step leads through a part of an adapter.
package struct PartStep: Sendable {
    /// T: tokens, the rows of a layer's input.
    package let rows: Int
    /// In how many sequences they are.
    package let sequences: Int
    /// d and k of the part's layer; of a block, its hidden size both; of the one part of a whole model, the
    /// size of all heads' queries.
    package let outputSize, inputSize: Int
    /// Whether something before it trains, so that the gradient at its input is needed.
    package let atInput: Bool

    package init(rows: Int, sequences: Int = 1, outputSize: Int, inputSize: Int, atInput: Bool) {
        (self.rows, self.sequences) = (rows, sequences)
        (self.outputSize, self.inputSize) = (outputSize, inputSize)
        self.atInput = atInput
    }
}

extension PartStep {
    /// The products of a path of low rank beside a layer, x' Aᵀ and then Bᵀ.
    /// - Parameter trains: whether A and B do.
    package func path(rank: Int, trains: Bool = true) -> [MatrixProduct] {
        path(through: rank, from: inputSize, to: outputSize, trains: trains)
    }

    /// The products of two maps with a narrow middle, of `from` inputs and `to` outputs.
    package func path(
        through size: Int, from: Int, to: Int, trains: Bool = true
    ) -> [MatrixProduct] {
        MatrixProduct.linear(
            rows: rows, inputs: from, outputs: size, atInput: atInput, atWeight: trains)
            + MatrixProduct.linear(
                rows: rows, inputs: size, outputs: to, atInput: atInput || trains,
                atWeight: trains)
    }

    /// The products of an update (d, k) that is formed of products B A, (d, r) by (r, k), and never kept: the
    /// gradient at the whole, and of each product its two gradients and its forming, for the output and again
    /// for the gradient at the input.
    package func formed(ranks: [Int]) -> [MatrixProduct] {
        let again = ranks.map { MatrixProduct(outputSize, $0, inputSize) }
        return [.atWeight(rows: rows, inputs: inputSize, outputs: outputSize)]
            + ranks.flatMap {
                MatrixProduct.linear(rows: outputSize, inputs: $0, outputs: inputSize)
            } + (atInput ? again : [])
    }
}
