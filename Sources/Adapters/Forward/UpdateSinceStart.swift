import DualTorch

/// An update less what it was at the start: zero, bit for bit, until a factor moves.
struct UpdateSinceStart: FactoredUpdate {
    let update, start: any FactoredUpdate

    var factors: [Tensor] { update.factors }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: StoredWeight?, into block: Tensor
    ) throws {
        guard let factor = factors.first else { return }
        try withoutGradient {
            for piece in rows.pieces(columns: columns.count) {
                // In the factors' type: rounded to the block's, the difference would be coarse.
                func formed(_ update: any FactoredUpdate) throws -> Tensor {
                    let room = try Tensor.empty(
                        [piece.count, columns.count], dtype: factor.dtype, device: factor.device)
                    try update.form(rows: piece, columns: columns, onto: nil, into: room)
                    return room
                }
                let change = try formed(update).add(formed(start), times: -1)
                let blockRows = piece.shifted(by: -rows.lowerBound)
                try block.slice(blockRows).copy(
                    from: weight.map { try $0.slice(blockRows).dense() + change } ?? change)
            }
        }
    }

    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        try update.addGradients(of: gradient, rows: rows, to: sums)
    }
}
