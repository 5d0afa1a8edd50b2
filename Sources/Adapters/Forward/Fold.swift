import DualTorch

/// Which elements of a wide vector belong to which of a narrow one, each to one at least: the wide ones are
/// summed up, or the narrow ones added to all of theirs.
struct Fold {
    private let side: Int
    private let pieces: [FoldKernel.Piece]

    /// Chunks of the narrow size, one after the other.
    /// - Parameter isFilled: whether the last is filled up with the wide vector's own first elements.
    init(chunksOf size: Int, side: Int, isFilled: Bool) {
        let (whole, remainder) = size.quotientAndRemainder(dividingBy: side)
        var pieces = [
            FoldKernel.Piece(wide: 0..<whole * side, narrow: 0..<side, isGrouped: false),
            FoldKernel.Piece(wide: whole * side..<size, narrow: 0..<remainder, isGrouped: false),
        ]
        var filled = isFilled && remainder > 0 ? remainder : side
        while filled < side {
            let count = min(size, side - filled)
            pieces.append(
                FoldKernel.Piece(wide: 0..<count, narrow: filled..<filled + count, isGrouped: false)
            )
            filled += count
        }
        self.side = side
        self.pieces = pieces.filter { !$0.wide.isEmpty }
    }

    /// Groups of neighbours, as even as can be: the first have one more.
    init(groupsOf size: Int, side: Int) {
        let (least, larger) = size.quotientAndRemainder(dividingBy: side)
        let split = larger * (least + 1)
        self.side = side
        pieces = [
            FoldKernel.Piece(wide: 0..<split, narrow: 0..<larger, isGrouped: true),
            FoldKernel.Piece(wide: split..<size, narrow: larger..<side, isGrouped: true),
        ].filter { !$0.wide.isEmpty }
    }

    /// (T, wide) to (T, narrow).
    func summed(_ wide: Tensor) throws -> Tensor {
        if FoldKernel.takes(wide) { return try FoldKernel.sum(wide, to: side, pieces) }
        let sums = try Tensor.zeros([wide.size(0), side], dtype: wide.dtype, device: wide.device)
        for piece in pieces {
            let (view, times) = try piece.view(wide)
            try sums.slice(piece.narrow, along: 1).add(view.sum(along: times))
        }
        return sums
    }

    /// Adds (T, narrow) to (T, wide), which is contiguous, in place.
    func add(_ narrow: Tensor, to wide: Tensor) throws {
        if FoldKernel.takes(wide) { return try FoldKernel.add(narrow, to: wide, pieces) }
        for piece in pieces {
            let (view, times) = try piece.view(wide)
            try view.add(
                narrow.slice(piece.narrow, along: 1).expandedDimension(at: times))
        }
    }
}

extension FoldKernel.Piece {
    /// A view (T, wide) as (T, times, narrow), or (T, narrow, times), and the dimension of the times.
    fileprivate func view(_ x: Tensor) throws -> (Tensor, times: Int) {
        let (count, times) = (narrow.count, wide.count / narrow.count)
        let columns = try x.slice(wide, along: 1)
        return isGrouped
            ? (try columns.reshaped(x.size(0), count, times), 2)
            : (try columns.reshaped(x.size(0), times, count), 1)
    }
}
