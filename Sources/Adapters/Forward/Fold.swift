import DualTorch

/// Which elements of a wide vector belong to which of a narrow one, each to one at least: the wide ones are
/// summed up, or the narrow ones added to all of theirs.
struct Fold {
    private struct Piece {
        let wide, narrow: Range<Int>
        /// Whether neighbours belong to one element; if not, the narrow ones come over and over.
        let isGrouped: Bool

        /// A view (T, wide) as (T, times, narrow), or (T, narrow, times), and the dimension of the times.
        func view(_ x: Tensor) throws -> (Tensor, times: Int) {
            let (count, times) = (narrow.count, wide.count / narrow.count)
            let part = try x.slice(wide, along: 1)
            return isGrouped
                ? (try part.reshaped(x.size(0), count, times), 2)
                : (try part.reshaped(x.size(0), times, count), 1)
        }
    }

    private let side: Int
    private let pieces: [Piece]

    /// Chunks of the narrow size, one after the other.
    /// - Parameter isFilled: whether the last is filled up with the wide vector's own first elements.
    init(chunksOf size: Int, side: Int, isFilled: Bool) {
        let (whole, rest) = size.quotientAndRemainder(dividingBy: side)
        var pieces = [
            Piece(wide: 0..<whole * side, narrow: 0..<side, isGrouped: false),
            Piece(wide: whole * side..<size, narrow: 0..<rest, isGrouped: false),
        ]
        var filled = isFilled && rest > 0 ? rest : side
        while filled < side {
            let count = min(size, side - filled)
            pieces.append(
                Piece(wide: 0..<count, narrow: filled..<filled + count, isGrouped: false))
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
            Piece(wide: 0..<split, narrow: 0..<larger, isGrouped: true),
            Piece(wide: split..<size, narrow: larger..<side, isGrouped: true),
        ].filter { !$0.wide.isEmpty }
    }

    /// (T, wide) to (T, narrow).
    func summed(_ wide: Tensor) throws -> Tensor {
        if isFused(wide) {
            let found = try callOperator(
                "duallora::fold_sum", [.tensor(wide), .int(side), .ints(numbers)])
            if case .tensor(let sums)? = found.first { return sums }
        }
        let sums = try Tensor.zeros([wide.size(0), side], dtype: wide.dtype, device: wide.device)
        for piece in pieces {
            let (view, times) = try piece.view(wide)
            try sums.slice(piece.narrow, along: 1).add(view.sum(along: times))
        }
        return sums
    }

    /// Adds (T, narrow) to (T, wide), which is contiguous, in place.
    func add(_ narrow: Tensor, to wide: Tensor) throws {
        if isFused(wide) {
            _ = try callOperator(
                "duallora::fold_add",
                [.tensor(wide), .tensor(narrow.contiguous()), .ints(numbers)])
            return
        }
        for piece in pieces {
            let (view, times) = try piece.view(wide)
            try view.add(
                narrow.slice(piece.narrow, along: 1).expandedDimension(at: times))
        }
    }

    private func isFused(_ wide: Tensor) -> Bool {
        wide.dtype.hasKernels && wide.device.kind == .cpu && wide.isContiguous
    }

    /// The pieces as the kernels take them.
    private var numbers: [Int] {
        pieces.flatMap {
            [
                $0.wide.lowerBound, $0.narrow.lowerBound, $0.narrow.count,
                $0.wide.count / $0.narrow.count, $0.isGrouped ? 1 : 0,
            ]
        }
    }
}
