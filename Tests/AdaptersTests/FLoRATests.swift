import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct FLoRATests {
    private func layer(_ method: FLoRA, _ dtype: DType = .float64) throws -> (Linear, FLoRALayer) {
        let base = Linear(path: "x", weight: try .seeded([30, 20], seed: 1, dtype: dtype))
        let made = try method.makeAdapter(for: base, using: Generator(seed: 2))
        return (base, try #require(made as? FLoRALayer))
    }

    @Test("It is the LoRA of A and B E, output and gradients")
    func asLoRA() throws {
        let (base, flora) = try layer(FLoRA(rank: 4, alpha: 6))
        try flora.core.copy(from: .seeded([4, 4], seed: 3, dtype: .float64))
        let folded = try flora.up.matmul(flora.core)
        let lora = LoRALayer(down: flora.down, up: folded, scale: 1.5, dropout: 0)
        let x = try Tensor.seeded([5, 20], seed: 4, dtype: .float64)
        #expect(
            try flora(x, through: base, mode: .inference).isIdentical(
                to: lora(x, through: base, mode: .inference)))
        // ∂B = ∂(B E) Eᵀ, ∂E = Bᵀ ∂(B E)
        try folded.requireGradient()
        for (_, value) in flora.parameters { try value.requireGradient() }
        let seed = try Tensor.seeded([5, 30], seed: 5, dtype: .float64)
        let atFolded = try #require(
            try lora(x, through: base, mode: .inference).gradients(with: [folded], seed: seed)[0])
        let found = try flora(x, through: base, mode: .inference)
            .gradients(with: [flora.core, flora.up], seed: seed)
        let expected = [
            try flora.up.detached().transposed().matmul(atFolded),
            try atFolded.matmul(flora.core.detached().transposed()),
        ]
        for (found, expected) in zip(found, expected) {
            #expect(try #require(found).isClose(to: expected, absolute: 1e-10))
        }
    }

    @Test("The fused path in float32 has the gradients of the definition")
    func fused() throws {
        let (base, layer) = try layer(FLoRA(rank: 4), .float32)
        try layer.core.copy(from: .seeded([4, 4], seed: 3))
        let x = try Tensor.seeded([50, 20], seed: 4).requireGradient()
        let seed = try Tensor.seeded([50, 30], seed: 5)
        let leaves = try [x] + layer.parameters.map { try $0.value.requireGradient() }
        let found = try layer(x, through: base, mode: .inference)
            .gradients(with: leaves, seed: seed)
        let plain = try x.linear(base.weight.value + layer.weightUpdate(for: base))
        for (found, right) in zip(found, try plain.gradients(with: leaves, seed: seed)) {
            let (found, right) = (try #require(found), try #require(right))
            #expect(try (found - right).norm().item() < 1e-5 * right.norm().item())
        }
    }

    @Test("Each style starts and scales as its code does")
    func styles() throws {
        var method = FLoRA(rank: 16, alpha: 8)
        #expect(method.scale == 0.5)
        var (_, made) = try layer(method)
        let bounds = [(made.down, 1 / 20.0.squareRoot()), (made.up, 0.25)]
        for (factor, bound) in bounds {
            let largest = try factor.magnitude().maximum().item()
            #expect(largest <= bound && largest > 0.9 * bound)
        }
        method.initStyle = .nlu
        #expect(method.scale == 8 / 16.00001)
        (_, made) = try layer(method)
        for factor in [made.down, made.up] {
            #expect(abs(try factor.rootMeanSquare() / 0.02 - 1) < 0.15)
        }
        #expect(try made.core.norm().item() == 0)
    }
}
