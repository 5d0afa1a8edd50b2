import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct LowRankPathTests {
    @Test(
        "A bias that trains beside a frozen weight gets its gradient",
        arguments: [DType.float32, .bfloat16])
    func trainedBias(_ dtype: DType) throws {
        let bias = try Tensor.seeded([7], seed: 2).requireGradient()
        let layer = Linear(
            path: "x", weight: try .seeded([7, 5], seed: 1, dtype: dtype), bias: bias)
        let adapter = LoRALayer(
            down: try .seeded([2, 5], seed: 3), up: try .seeded([7, 2], seed: 4), scale: 2,
            dropout: 0)
        for parameter in adapter.parameters { try parameter.value.requireGradient() }
        let x = try Tensor.seeded([3, 5], seed: 5, dtype: dtype)
        let output = try adapter(x, through: layer, mode: .inference)
        let gradient = try #require(output.sum().gradients(with: [bias])[0])
        #expect(try gradient.array() == [Double](repeating: 3, count: 7))
        try bias.requireGradient(false)
        let frozen = try adapter(x, through: layer, mode: .inference)
        #expect(try output.isClose(to: frozen, absolute: dtype == .float32 ? 1e-5 : 0.1))
    }
}
