import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about LoRA.
@Suite struct LoRATests {
    private func factors(d: Int = 9, k: Int = 8, rank: Int = 3) throws -> (a: Tensor, b: Tensor) {
        (
            try .seeded([rank, k], seed: 1, dtype: .float64),
            try .seeded([d, rank], seed: 2, dtype: .float64)
        )
    }

    private func output(_ a: Tensor, _ b: Tensor, scale: Double) throws -> Tensor {
        let base = Linear(path: "x", weight: try .seeded([9, 8], seed: 3, dtype: .float64))
        let layer = LoRALayer(down: a, up: b, scale: scale, dropout: 0)
        return try layer(
            .seeded([4, 8], seed: 4, dtype: .float64), through: base, mode: .inference)
    }

    @Test("The factor is α / r, or α / √r when it is rank-stabilised")
    func scale() {
        var method = LoRA(rank: 4, alpha: 6)
        #expect(method.scale(rank: method.rank, alpha: method.alpha) == 1.5)
        method.rankStabilized = true
        #expect(method.scale(rank: method.rank, alpha: method.alpha) == 3)
        #expect(LoRA(rank: 4).scale(rank: 4, alpha: LoRA(rank: 4).alpha) == 2)
    }

    @Test("A starts uniform within ±1/√in and B at zero, as PEFT's do")
    func start() throws {
        let base = Linear(path: "x", weight: try .seeded([300, 400], seed: 3))
        let parameters = try LoRA(rank: 16).makeAdapter(for: base, using: Generator(seed: 5))
            .parameters
        let a: [Double] = try parameters[0].value.array()
        #expect(a.allSatisfy { abs($0) <= 0.05 })
        #expect((a.map(abs).max() ?? 0) > 0.0499)
        // A uniform distribution's deviation is its bound divided by √3.
        #expect(abs(try parameters[0].value.rootMeanSquare() * 3.0.squareRoot() / 0.05 - 1) < 0.03)
        #expect(try parameters[1].value.norm().item() == 0)
    }

    @Test("Only the product of the factors counts")
    func productOnly() throws {
        let (a, b) = try factors()
        let expected = try output(a, b, scale: 2)
        let change = try Tensor([2.0, 1, 0, 0, 1, 0, 1, 0, 1], [3, 3])
        let inverse = try Tensor([0.5, -0.5, 0, 0, 1, 0, -0.5, 0.5, 1], [3, 3])
        let changed = try output(change.matmul(a), b.matmul(inverse), scale: 2)
        #expect(try changed.isClose(to: expected, absolute: 1e-12))
        #expect(try output(a, b * 2, scale: 1).isClose(to: expected, absolute: 1e-12))
    }

    @Test("The gradients are s δᵀ(x Aᵀ) and s (δ B)ᵀ x")
    func gradients() throws {
        let (a, b) = try factors()
        for factor in [a, b] { try factor.requireGradient() }
        let seed = try Tensor.seeded([4, 9], seed: 6, dtype: .float64)
        let found = try output(a, b, scale: 2).gradients(with: [a, b], seed: seed)
        let x = try PlainMatrix(.seeded([4, 8], seed: 4, dtype: .float64))
        let delta = try PlainMatrix(seed)
        let (down, up) = (try PlainMatrix(a), try PlainMatrix(b))
        let expected = [
            (delta * up).transposed * x, delta.transposed * (x * down.transposed),
        ].map { $0.map { 2 * $0 } }
        for (found, expected) in zip(found, expected) {
            #expect(try #require(found).isClose(to: expected.tensor(), absolute: 1e-9))
        }
    }
}
