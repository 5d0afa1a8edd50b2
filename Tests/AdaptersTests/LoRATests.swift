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

    @Test("A gaussian start has A's deviation 1 / r and B at zero")
    func gaussianStart() throws {
        let base = Linear(path: "x", weight: try .seeded([300, 400], seed: 3))
        var method = LoRA(rank: 16)
        method.start = .gaussian
        let parameters = try method.makeAdapter(for: base, using: Generator(seed: 5)).parameters
        #expect(abs(try parameters[0].value.rootMeanSquare() * 16 - 1) < 0.03)
        #expect(try parameters[0].value.magnitude().maximum().item() > 3.0 / 16)
        #expect(try parameters[1].value.norm().item() == 0)
    }

    @Test("B's bias is scaled as B A is, and goes into the layer's at a merge")
    func biasOfB() throws {
        let base = try AdapterCase.layer(dtype: .float64)
        let own = try #require(base.bias).value.cloned()
        let (a, b) = (
            try Tensor.seeded([3, 5], seed: 1, dtype: .float64),
            try Tensor.seeded([7, 3], seed: 2, dtype: .float64)
        )
        let bias = try Tensor.seeded([7], seed: 6, dtype: .float64)
        base.adapter = LoRALayer(down: a, up: b, upBias: bias, scale: 2.5, dropout: 0)
        let x = try AdapterCase.input(dtype: .float64)
        let plain = try base.frozen(x) + 2.5 * (x.linear(a).linear(b) + bias)
        #expect(try base(x).isClose(to: plain, absolute: 1e-12))
        try base.mergeAdapter()
        #expect(try base(x).isClose(to: plain, absolute: 1e-12))
        #expect(try #require(base.bias).value.isClose(to: own + 2.5 * bias, absolute: 1e-15))
    }

    @Test(
        "A layer without a bias takes a bias of B, but no merge of it, and then nothing is merged")
    func biasWithoutOne() throws {
        let layers = try ["x", "y"].map {
            Linear(
                path: $0, weight: try .seeded([7, 5], seed: 1),
                bias: $0 == "x" ? try .seeded([7], seed: 2) : nil)
        }
        let slots = AdapterSlots(linears: layers, defaultTargets: ["x", "y"])
        var method = LoRA(rank: 2)
        method.hasBias = true
        let set = try AdapterSet(method, of: slots, using: Generator(seed: 1))
        try randomize(set, seed: 3)
        let x = try AdapterCase.input()
        let plain = try layers[1].frozen(x)
        #expect(try layers[1](x).largestDifference(to: plain) > 0.1)
        let before = try layers.map { try $0(x) }
        let text = message { try set.merge() }
        #expect(
            text == "'y' cannot be merged: the adapter changes its bias, and it has none")
        #expect(message { try layers[1].mergeAdapter() } == text)
        #expect(layers.allSatisfy { $0.adapter != nil })
        for (layer, before) in zip(layers, before) {
            #expect(try layer(x).isIdentical(to: before))
        }
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
