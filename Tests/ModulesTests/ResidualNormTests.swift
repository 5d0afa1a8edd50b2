import DualModules
import DualTorch
import TestSupport
import Testing

/// Norms that add a branch, and gated activations, against the same in steps.
@Suite struct ResidualNormTests {
    private func scope() throws -> WeightScope {
        WeightSource(nil, dtype: nil, generator: try Generator(seed: 1)).root / "norm"
    }

    /// Weights of one type, numbers of another: they are rounded to the type of the numbers.
    @Test(
        "A norm adds a branch first, whatever the types",
        arguments: [DType.float32, .bfloat16, .float64], [DType.float32, .bfloat16])
    func branches(_ dtype: DType, _ stored: DType) throws {
        let root = try RMSNorm(scope(), size: 24, epsilon: 1e-5)
        let centred = try LayerNorm(scope(), size: 24, epsilon: 1e-5)
        root.weight.stored = .plain(try .seeded([24], seed: 1, dtype: stored))
        centred.weight.stored = .plain(try root.weight.value)
        centred.bias.stored = .plain(try .seeded([24], seed: 2, dtype: stored))
        let stream = try Tensor.seeded([2, 5, 24], seed: 3, dtype: dtype)
        let branch = try Tensor.seeded([2, 5, 24], seed: 4, dtype: dtype)
        let sum = try stream + branch
        for (found, alone) in [
            (try root(adding: branch, to: stream), try root(sum)),
            (try centred(adding: branch, to: stream), try centred(sum)),
        ] {
            #expect(try found.sum.isIdentical(to: sum))
            #expect(try found.normed.isIdentical(to: alone))
            #expect(found.normed.dtype == dtype)
        }
        #expect(try root(adding: nil, to: stream).sum === stream)
        let weight = try root.weight.value.to(dtype)
        let plain = try sum.rmsNorm(weight: weight, epsilon: 1e-5)
        #expect(try root(sum).isClose(to: plain, absolute: dtype == .bfloat16 ? 0.04 : 1e-5))
    }

    @Test("Weights of another type get their gradients in their own")
    func weightGradient() throws {
        let norm = try RMSNorm(scope(), size: 24, epsilon: 1e-5)
        try norm.weight.value.requireGradient()
        try norm(Tensor.seeded([3, 24], seed: 1, dtype: .bfloat16)).sum().backward()
        #expect(try norm.weight.value.gradient()?.dtype == .float32)
    }

    @Test("A gate is the activation of one factor", arguments: Activation.allCases)
    func gates(_ activation: Activation) throws {
        let (gate, up) = (
            try Tensor.seeded([3, 21], seed: 1), try Tensor.seeded([3, 21], seed: 2)
        )
        let plain = try activation(gate) * up
        #expect(try activation(gate, gating: up).isClose(to: plain, absolute: 1e-6))
    }

    @Test("Turned heads keep their length, and depend on the distance alone")
    func rotary() throws {
        let table = try RotaryEmbedding(headSize: 16, base: 100).table(
            positions: Tensor.range(9), length: 9, dtype: .float32)
        let head = try Tensor.seeded([1, 1, 1, 16], seed: 1)
        let turned = try table(head.expanded([1, 9, 2, 16]))  // (1, 2, 9, 16)
        #expect(turned.shape == [1, 2, 9, 16])
        let rows = try turned.selecting(0).selecting(1)  // (9, 16)
        let products = try rows.matmul(rows.transposed())  // (9, 9)
        for (distance, count) in [(0, 9), (3, 6)] {
            let expected = try products.selecting(0).selecting(distance).item()
            for place in 0..<count {
                let found = try products.selecting(place).selecting(place + distance).item()
                #expect(abs(found - expected) < 1e-4)
            }
        }
        #expect(try rows.selecting(0).isIdentical(to: head.reshaped(16)))
    }
}
