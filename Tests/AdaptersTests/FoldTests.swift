import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// Sums and additions of folds by kernel, against those of LibTorch's operators in float64.
@Suite struct FoldTests {
    /// Wide and narrow sizes: that divide, that do not, and where the narrow is the wider.
    static let sizes = [
        [8, 4], [30, 7], [768, 157], [41, 40], [5, 12], [1, 1], [100, 1], [67, 33],
    ]

    private static func folds(_ wide: Int, _ narrow: Int) -> [Fold] {
        [
            Fold(chunksOf: wide, side: narrow, isFilled: true),
            Fold(chunksOf: wide, side: narrow, isFilled: false),
            Fold(groupsOf: wide, side: narrow),
        ]
    }

    @Test(
        "Every instruction set gives the sums and the additions",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func instructionSets(_ set: InstructionSet, _ dtype: DType) throws {
        for size in Self.sizes {
            for (number, fold) in Self.folds(size[0], size[1]).enumerated() {
                let wide = try Tensor.seeded([9, size[0]], seed: 1, dtype: dtype)
                let narrow = try Tensor.seeded([9, size[1]], seed: 2, dtype: dtype)
                let exact = try (wide.to(.float64), narrow.to(.float64))
                let sums = try set.limiting { try fold.summed(wide) }
                try expect(sums, fold.summed(exact.0), dtype, "sums of \(size), fold \(number)")
                try set.limiting { try fold.add(narrow, to: wide) }
                try fold.add(exact.1, to: exact.0)
                try expect(wide, exact.0, dtype, "additions of \(size), fold \(number)")
            }
        }
    }

    private func expect(
        _ found: Tensor, _ exact: Tensor, _ dtype: DType, _ name: String
    ) throws {
        let bound = try exact.magnitude().maximum().item() * (dtype == .float32 ? 1e-6 : 8e-3)
        #expect(found.dtype == dtype)
        #expect(try found.largestDifference(to: exact) <= bound, "\(name)")
    }

    @Test("Pieces that reach beyond a row are refused")
    func pieces() throws {
        let wide = try Tensor.seeded([2, 10], seed: 1)
        for numbers in [
            [0, 0, 5, 3, 0], [0, 3, 5, 2, 0], [1, 0, 5, 2, 1], [-1, 0, 2, 2, 0],
            [0, -1, 2, 2, 0], [0, 0, 0, 1, 0], [0, 0, 5, .max, 0], [0, 0, 5],
        ] {
            #expect(throws: TorchError.self, "\(numbers)") {
                try callOperator("duallora::fold_sum", [.tensor(wide), 5, .ints(numbers)])
            }
        }
    }
}
