/// Folds: each element of a wide row belongs to one or several of a narrow row; the wide ones are summed up,
/// or the narrow ones added to all of theirs, in one pass (CTorch's `fold.cpp`).
package enum FoldKernel: String, FusedKernel {
    case sums = "duallora::fold_sum"
    case additions = "duallora::fold_add"

    package static let support = KernelSupport(.cpuContiguous)

    /// Elements of a wide row that belong to elements of a narrow one, the same number to each.
    package struct Piece: Sendable {
        package let wide, narrow: Range<Int>
        /// Whether neighbours belong to one element; if not, the narrow ones come over and over.
        package let isGrouped: Bool

        package init(wide: Range<Int>, narrow: Range<Int>, isGrouped: Bool) {
            self.wide = wide
            self.narrow = narrow
            self.isGrouped = isGrouped
        }

        fileprivate var numbers: [Int] {
            [
                wide.lowerBound, narrow.lowerBound, narrow.count, wide.count / narrow.count,
                isGrouped ? 1 : 0,
            ]
        }
    }

    /// The sums (T, `size`) of the elements of `wide` (T, k) that belong to each narrow one.
    package static func sum(_ wide: Tensor, to size: Int, _ pieces: [Piece]) throws -> Tensor {
        try sums.result([.tensor(wide), .int(size), .ints(pieces.flatMap(\.numbers))])
    }

    /// Adds `narrow` (T, r) to all the elements of `wide` (T, k) that belong to it, in place.
    package static func add(_ narrow: Tensor, to wide: Tensor, _ pieces: [Piece]) throws {
        try additions([
            .tensor(wide), .tensor(narrow.contiguous()), .ints(pieces.flatMap(\.numbers)),
        ])
    }
}
