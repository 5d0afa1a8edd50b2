import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about HiRA.
@Suite struct HiRATests {
    private func adapter(_ dtype: DType = .float32) throws -> HiRALayer {
        HiRALayer(
            down: try .seeded([3, 5], seed: 5, dtype: dtype),
            up: try .seeded([7, 3], seed: 6, dtype: dtype), dropout: 0)
    }

    @Test("Every element of the weight is multiplied by 1 + (B A)")
    func definition() throws {
        let (base, adapter) = (try AdapterCase.layer(dtype: .float64), try adapter(.float64))
        let product = try PlainMatrix(adapter.up) * PlainMatrix(adapter.down)
        let expected = try PlainMatrix(base.weight.value).combined(product) { $0 * (1 + $1) }
        let merged = try adapter.updatedWeight(for: base)
        #expect(try merged.isClose(to: expected.tensor(), absolute: 1e-14))
    }

    @Test("A weight that is 0 stays 0")
    func zeros() throws {
        let weight = try Tensor.seeded([7, 5], seed: 1)
        let pruned = try weight.filled(with: 0, where: weight.magnitude() < 0.5)
        let base = Linear(path: "x", weight: pruned)
        let merged: [Float] = try adapter().updatedWeight(for: base).array()
        let before: [Float] = try pruned.array()
        #expect(before.filter { $0 == 0 }.count > 5)
        for (merged, before) in zip(merged, before) { #expect((merged == 0) == (before == 0)) }
    }

    @Test("A weight times c has an update times c")
    func scaling() throws {
        let base = try AdapterCase.layer(dtype: .float64)
        let adapter = try adapter(.float64)
        let once = try adapter.weightUpdate(for: base)
        let larger = Linear(path: "x", weight: try base.weight.value * -4)
        #expect(try adapter.weightUpdate(for: larger).isIdentical(to: once * -4))
        #expect(try once.norm().item() > 1)
    }

    @Test("A base that trains has G ⊙ (1 + B A) as its gradient")
    func trainableBase() throws {
        for drops in [false, true] {
            let base = try AdapterCase.layer(dtype: .float64)
            let adapter = HiRALayer(
                down: try adapter(.float64).down, up: try adapter(.float64).up,
                dropout: drops ? 0.4 : 0)
            let leaves = try [base.weight.value, adapter.down, adapter.up].map {
                try $0.requireGradient()
            }
            let x = try AdapterCase.input(dtype: .float64)
            let seed = try Tensor.seeded([3, 4, 7], seed: 9, dtype: .float64)
            let input = try drops ? x.dropout(probability: 0.4, using: Generator(seed: 2)) : x
            let plain =
                try base.frozen(x) + input.linear(leaves[0] * leaves[2].matmul(leaves[1]))
            let found = try adapter(x, through: base, mode: .training(Generator(seed: 2)))
            #expect(try found.isClose(to: plain, absolute: 1e-12))
            for (found, right) in zip(
                try found.gradients(with: leaves, seed: seed),
                try plain.gradients(with: leaves, seed: seed))
            {
                #expect(try #require(found).isClose(to: #require(right), absolute: 1e-10))
            }
        }
    }
}
