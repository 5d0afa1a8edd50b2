import DualTorch
import TestSupport
import Testing

/// The kernel for whole sequences against LibTorch's attention in float64, values and gradients.
@Suite struct SequenceAttentionTests {
    /// Rows, query heads, key heads, tokens, head size.
    static let shapes = [
        [1, 1, 1, 1, 8], [2, 3, 3, 7, 10], [1, 4, 2, 33, 17], [2, 2, 1, 130, 64],
        [1, 2, 2, 70, 128],
        [1, 1, 1, 300, 5],
    ]

    /// Query, key, value (B, heads, T, D) and the gradient at the output.
    private func tensors(_ shape: [Int], _ dtype: DType) throws -> [Tensor] {
        let (B, H, G, T, D) = (shape[0], shape[1], shape[2], shape[3], shape[4])
        return try [H, G, G, H].enumerated().map { index, heads in
            // In the order that a projection gives them.
            try Tensor.seeded([B, T, heads, D], seed: UInt64(index), dtype: dtype).transposed(1, 2)
        }
    }

    /// The output and the gradients at query, key and value, all in float64.
    private func reference(_ given: [Tensor], mask: Tensor) throws -> [Tensor] {
        let wide = try given.map { try $0.to(.float64) }
        let leaves = try wide.prefix(3).map { try $0.requireGradient() }
        let (B, H, T, D) = (
            given[0].size(0), given[0].size(1), given[0].size(2), given[0].size(3)
        )
        func shared(_ x: Tensor) throws -> Tensor {
            let heads = x.size(1)
            return try x.expandedDimension(at: 2).expanded([B, heads, H / heads, T, D])
                .reshaped(B, H, T, D)
        }
        let out = try scaledDotProductAttention(
            leaves[0], shared(leaves[1]), shared(leaves[2]), mask: mask)
        return try [out] + out.gradients(with: leaves, seed: wide[3]).map { try #require($0) }
    }

    private func found(
        _ given: [Tensor], _ visible: SequenceVisibility
    ) throws -> [Tensor] {
        let leaves = try given.prefix(3).map { try $0.detached().requireGradient() }
        let out = try #require(
            try sequenceAttention(leaves[0], leaves[1], leaves[2], visible: visible))
        return try [out] + out.gradients(with: leaves, seed: given[3]).map { try #require($0) }
    }

    private func whole(
        _ shape: [Int], isCausal: Bool, window: Int?
    ) throws -> (SequenceVisibility, mask: Tensor) {
        let T = shape[3]
        let seen = (0..<T * T).map { place in
            let (query, key) = (place / T, place % T)
            return (!isCausal || key <= query) && window.map { key > query - $0 } ?? true
        }
        return (
            SequenceVisibility(
                sequences: (0..<shape[0]).map { ($0, 0..<T) }, isCausal: isCausal, window: window),
            try Tensor(seen, [T, T])
        )
    }

    /// The distance of what was found to what is right, in units of the latter's norm.
    private func check(_ found: [Tensor], _ right: [Tensor], within tolerance: Double) throws {
        for (found, right) in zip(found, right) {
            let distance = try (found.to(.float64) - right).norm().item()
            #expect(try distance <= tolerance * right.norm().item() + 1e-6)
        }
    }

    @Test(
        "Values and gradients are those of attention in float64", arguments: shapes,
        [(true, nil), (false, nil), (true, 9)] as [(Bool, Int?)])
    func everyRule(shape: [Int], rule: (isCausal: Bool, window: Int?)) throws {
        let (visible, mask) = try whole(shape, isCausal: rule.isCausal, window: rule.window)
        for (dtype, tolerance) in [(DType.float32, 1e-6), (.bfloat16, 6e-3)] {
            let given = try tensors(shape, dtype)
            try check(found(given, visible), reference(given, mask: mask), within: tolerance)
        }
    }

    @Test("Every instruction set gives the same", arguments: InstructionSet.allCases)
    func everyInstructionSet(set: InstructionSet) throws {
        for shape in Self.shapes {
            let (visible, mask) = try whole(shape, isCausal: true, window: nil)
            for (dtype, tolerance) in [(DType.float32, 1e-6), (.bfloat16, 6e-3)] {
                let given = try tensors(shape, dtype)
                let values = try set.limiting { try found(given, visible) }
                try check(values, reference(given, mask: mask), within: tolerance)
            }
        }
    }

    @Test("Sequences see themselves alone, and tokens of none are zero, gradients too")
    func sequencesAreApart() throws {
        let given = try tensors([2, 4, 2, 40, 16], .float32)
        let sequences = [
            (row: 0, tokens: 3..<20), (row: 0, tokens: 20..<21), (row: 1, tokens: 5..<40),
        ]
        let together = try found(
            given, SequenceVisibility(sequences: sequences, isCausal: true))
        for tensor in together {
            #expect(try tensor.slice(0..<1).slice(0..<3, along: 2).norm().item() == 0)
            #expect(try tensor.slice(0..<1).slice(21..<40, along: 2).norm().item() == 0)
        }
        for (row, tokens) in sequences {
            let alone = try given.map {
                try $0.slice(row..<row + 1).slice(tokens, along: 2).contiguous()
            }
            let right = try found(
                alone, SequenceVisibility(sequences: [(0, 0..<tokens.count)], isCausal: true))
            for (whole, part) in zip(together, right) {
                let found = try whole.slice(row..<row + 1).slice(tokens, along: 2)
                #expect(try found.isClose(to: part, absolute: 1e-6))
            }
        }
    }

    @Test("Large scores neither overflow nor lose their order")
    func largeScores() throws {
        let given = try tensors([1, 2, 2, 50, 16], .float32)
        let sharp = [try given[0] * 1e3, try given[1] * 1e3, given[2], given[3]]
        let (visible, mask) = try whole([1, 2, 2, 50, 16], isCausal: true, window: nil)
        try check(
            Array(found(sharp, visible).prefix(1)), Array(reference(sharp, mask: mask).prefix(1)),
            within: 1e-5)
    }

    @Test("What does not fit is refused in one line")
    func refusals() throws {
        let given = try tensors([1, 4, 4, 8, 8], .float32)
        let visible = SequenceVisibility(sequences: [(0, 0..<8)], isCausal: true)
        #expect(throws: TorchError.self) {
            try sequenceAttention(
                given[0], given[1].slice(0..<3, along: 1), given[2], visible: visible)
        }
        #expect(throws: TorchError.self) {
            try sequenceAttention(given[0], given[1].to(.bfloat16), given[2], visible: visible)
        }
        for outside in [(1, 0..<8), (0, 0..<9), (0, 5..<9)] {
            #expect(throws: TorchError.self) {
                try sequenceAttention(
                    given[0], given[1], given[2],
                    visible: SequenceVisibility(sequences: [outside], isCausal: true))
            }
        }
        #expect(
            try sequenceAttention(
                given[0].to(.float64), given[1].to(.float64), given[2].to(.float64),
                visible: visible) == nil)
    }
}
