import DualModules

extension PartStep {
    /// Of a path of low rank beside a layer, x' Aᵀ and then Bᵀ.
    /// - Parameter trains: whether A and B do.
    func path(rank: Int, trains: Bool = true) -> [MatrixProduct] {
        path(through: rank, from: inputSize, to: outputSize, trains: trains)
    }

    /// Of two maps with something narrow between them, which begin and end where they are told.
    func path(through size: Int, from: Int, to: Int, trains: Bool = true) -> [MatrixProduct] {
        MatrixProduct.linear(
            rows: rows, inputs: from, outputs: size, atInput: atInput, atWeight: trains)
            + MatrixProduct.linear(
                rows: rows, inputs: size, outputs: to, atInput: atInput || trains,
                atWeight: trains)
    }

    /// Of an update (d, k) that is formed of products B A, (d, r) by (r, k), and never kept: the gradient at
    /// the whole, and of each product its two gradients and its forming, for the output and again for the
    /// gradient at the input.
    func formed(ranks: [Int]) -> [MatrixProduct] {
        let again = ranks.map { MatrixProduct(outputSize, $0, inputSize) }
        return [.atWeight(rows: rows, inputs: inputSize, outputs: outputSize)]
            + ranks.flatMap {
                MatrixProduct.linear(rows: outputSize, inputs: $0, outputs: inputSize)
            } + (atInput ? again : [])
    }
}
