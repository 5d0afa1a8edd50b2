import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct MoRATests {
    /// d, k and r: sizes that r̂ divides, that it does not, that are below it, and below its half.
    static let shapes = [
        [8, 8, 1], [7, 5, 1], [5, 7, 2], [12, 30, 1], [30, 12, 3], [64, 48, 7], [5, 6, 20],
        [4, 3, 40], [1, 1, 1], [16, 1, 2],
    ]

    private func layer(_ shape: [Int], _ kind: SquareFolding.Kind) throws -> (Linear, MoRALayer) {
        let base = Linear(
            path: "x", weight: try .seeded([shape[0], shape[1]], seed: 1, dtype: .float64))
        var method = MoRA(rank: shape[2])
        method.kind = kind
        let layer = try #require(
            try method.makeAdapter(for: base, using: Generator(seed: 1)) as? MoRALayer)
        try layer.matrix.copy(from: .seeded(layer.matrix.shape, seed: 2, dtype: .float64))
        return (base, layer)
    }

    @Test(
        "The merged weight says what the layer says, and no tensor grows",
        arguments: shapes, SquareFolding.Kind.allCases)
    func merging(shape: [Int], kind: SquareFolding.Kind) throws {
        let (base, layer) = try layer(shape, kind)
        let x = try Tensor.seeded([2, 3, shape[1]], seed: 3, dtype: .float64)
        let change = try layer.weightUpdate(for: base)
        #expect(change.shape == [shape[0], shape[1]])
        let plain = try x.linear(base.weight.value + change)
        #expect(
            try layer(x, through: base, mode: .inference).isClose(to: plain, absolute: 1e-10))
    }

    @Test("r̂ is √((d + k) r), rounded, and even where chunks are turned")
    func side() {
        func side(_ d: Int, _ k: Int, _ r: Int, _ kind: SquareFolding.Kind = .chunks) -> Int {
            SquareFolding.side(kind, rank: r, outputSize: d, inputSize: k)
        }
        #expect(side(4096, 4096, 8) == 256)
        #expect(side(7, 5, 1) == 3)
        #expect(side(5, 4, 1) == 3)
        #expect(side(5, 4, 1, .rotated) == 2)
        #expect(side(1, 1, 1, .rotated) == 2)
        #expect(MoRA(rank: 8).parameterCount(outputSize: 4096, inputSize: 4096) == 65_536)
    }

    @Test("Without turns the update's rank is at most r̂, with them it may be higher")
    func rank() throws {
        func rank(_ kind: SquareFolding.Kind) throws -> Double {
            let (base, layer) = try layer([40, 30, 1], kind)  // r̂ = 8
            let found = try callOperator(
                "aten::linalg_matrix_rank", [.tensor(layer.weightUpdate(for: base)), 1e-9])
            guard case .tensor(let rank)? = found.first else { return -1 }
            return try rank.item()
        }
        for kind in SquareFolding.Kind.allCases where kind != .rotated {
            #expect(try rank(kind) == 8)
        }
        #expect(try rank(.rotated) > 8)
    }

    /// 1 2 3 4 5 through a matrix of 3 that adds up what it is given.
    @Test(
        "A vector by hand",
        arguments: zip(
            [SquareFolding.Kind.chunks, .groups, .groupsToChunks, .chunksToGroups],
            [
                // Chunks 1 2 3 and 4 5 1 give 5 7 4; groups 1 2, 3 4 and 5 give 3 7 5.
                [5.0, 12, 16, 5, 12, 16, 5], [3, 3, 3, 10, 10, 15, 15], [3, 10, 15, 3, 10, 15, 3],
                [5, 5, 5, 12, 12, 16, 16],
            ]))
    func byHand(kind: SquareFolding.Kind, expected: [Double]) throws {
        let folding = SquareFolding(kind: kind, side: 3, inputSize: 5, outputSize: 7)
        let sums = try Tensor([1.0, 0, 0, 1, 1, 0, 1, 1, 1], [3, 3])
        let path = SquarePath(matrix: sums, input: folding.input, output: folding.output)
        let output = try Tensor.zeros([1, 7], dtype: .float64)
        _ = try path.add(of: Tensor([1.0, 2, 3, 4, 5], [1, 5]), to: output)
        #expect(try output.array() == expected)
    }

    @Test(
        "Gradients are those of the definition", arguments: shapes, SquareFolding.Kind.allCases)
    func gradients(shape: [Int], kind: SquareFolding.Kind) throws {
        let (base, layer) = try layer(shape, kind)
        let seed = try Tensor.seeded([2, 3, shape[0]], seed: 4, dtype: .float64)
        let x = try Tensor.seeded([2, 3, shape[1]], seed: 3, dtype: .float64).requireGradient()
        let leaves = [x, try layer.matrix.requireGradient()]
        let found = try layer(x, through: base, mode: .training(Generator(seed: 1)))
            .gradients(with: leaves, seed: seed)
        let plain = try x.linear(base.weight.value + layer.weightUpdate(for: base))
        for (found, right) in zip(found, try plain.gradients(with: leaves, seed: seed)) {
            #expect(try #require(found).isClose(to: #require(right), absolute: 1e-11))
        }
    }

    @Test("Chunks that are turned keep their lengths, and the first is left as it is")
    func turns() throws {
        let rotation = try ChunkRotation(
            chunks: 5, side: 6, for: Tensor.zeros([1], dtype: .float64))
        let x = try Tensor.seeded([2, 5, 6], seed: 1, dtype: .float64)
        let turned = try rotation.turned(x)
        #expect(
            try turned.slice(0..<1, along: 1).isClose(
                to: x.slice(0..<1, along: 1), absolute: 1e-15))
        #expect(try turned.largestDifference(to: x) > 0.1)
        #expect(
            try turned.squared().sum(along: -1).isClose(
                to: x.squared().sum(along: -1), absolute: 1e-12))
        for chunk in 0..<5 {
            let plain = try x.selecting(chunk, along: 1).linear(rotation.matrix(chunk))
            #expect(try turned.selecting(chunk, along: 1).isClose(to: plain, absolute: 1e-12))
        }
    }

    @Test("A file's second name of the matrix belongs to the first")
    func twins() {
        #expect(MoRA.format.twin(of: "a.q_proj.lora_B.weight") == "a.q_proj.lora_A.weight")
        #expect(MoRA.format.twin(of: "a.q_proj.lora_A.weight") == nil)
        #expect(MoRA.format.isRepeated("a.q_proj.lora_B.weight"))
    }
}
