import DualModules
import DualTorch
import TestSupport
import Testing

/// Layers against the expressions that define them, written out with plain tensor operations.
@Suite struct LayerTests {
    private func layer(outputs: Int = 5, inputs: Int = 3, dtype: DType = .float64) throws -> Linear
    {
        Linear(
            path: "a.b", weight: try .seeded([outputs, inputs], seed: 1, dtype: dtype),
            bias: try .seeded([outputs], seed: 2, dtype: dtype))
    }

    @Test(
        "A linear layer is x Wᵀ + b over the last dimension", arguments: [[3], [2, 3], [4, 2, 3]])
    func linear(_ shape: [Int]) throws {
        let layer = try layer()
        let x = try Tensor.seeded(shape, seed: 3, dtype: .float64)
        let bias = try #require(layer.bias)
        let plain = try x.matmul(layer.weight.value.transposed()) + bias.value
        #expect(try layer(x).shape == shape.dropLast() + [5])
        #expect(try layer(x).isClose(to: plain, absolute: 1e-12))
        #expect(layer.weight.name == "a.b.weight")
        #expect((layer.inputSize, layer.outputSize) == (3, 5))
    }

    @Test("A linear layer computes in the type of its input")
    func inputType() throws {
        let layer = try layer(dtype: .bfloat16)
        #expect(try layer(.seeded([2, 3], seed: 3)).dtype == .float32)
        #expect(try layer(.seeded([2, 3], seed: 3, dtype: .bfloat16)).dtype == .bfloat16)
    }

    /// Adds a constant to the weight, and counts its calls.
    private final class Shift: WeightChange {
        var parameters: [(name: String, value: Tensor)] { [] }
        var calls = 0

        func weightUpdate(for base: Linear) throws -> Tensor {
            try .full(base.weight.stored.shape, 0.5, dtype: .float64)
        }

        func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
            calls += 1
            return try base.frozen(x) + x.linear(weightUpdate(for: base).to(x.dtype))
        }
    }

    @Test("What stands in the slot changes the layer, and nothing else does")
    func slot() throws {
        let (layer, shift) = (try layer(), Shift())
        let x = try Tensor.seeded([2, 3], seed: 3, dtype: .float64)
        let before = try layer(x)
        layer.adapter = shift
        #expect(try layer.frozen(x).isIdentical(to: before))
        #expect(shift.calls == 0)
        #expect(try layer(x).largestDifference(to: before) > 0.1)
        layer.adapter = nil
        #expect(try layer(x).isIdentical(to: before))
    }

    @Test("Merging puts the sum in the weight's place and empties the slot")
    func merging() throws {
        let layer = try layer()
        let x = try Tensor.seeded([2, 3], seed: 3, dtype: .float64)
        #expect(try layer.mergedWeight() === layer.weight.value)
        layer.adapter = Shift()
        let adapted = try layer(x)
        try layer.mergeAdapter()
        #expect(layer.adapter == nil)
        #expect(try layer(x).isClose(to: adapted, absolute: 1e-12))
    }

    @Test("A merge into a narrow type rounds the sum once", arguments: [DType.bfloat16, .float16])
    func narrowMerge(_ dtype: DType) throws {
        let layer = try layer(dtype: dtype)
        let exact = try layer.weight.value.to(.float32) + 0.5
        layer.adapter = Shift()
        #expect(try layer.mergedWeight().isIdentical(to: exact.to(dtype)))
    }

    @Test("A layer norm is (x - mean) / √(variance + ε), scaled and shifted")
    func layerNorm() throws {
        let source = WeightSource(nil, dtype: nil, generator: try Generator(seed: 1))
        let norm = try LayerNorm(source.root / "norm", size: 6, epsilon: 1e-3)
        #expect(try norm.weight.value.array() == [Float](repeating: 1, count: 6))
        norm.weight.stored = .plain(try .seeded([6], seed: 1))
        norm.bias.stored = .plain(try .seeded([6], seed: 2))
        let x = try Tensor.seeded([2, 3, 6], seed: 3, deviation: 4, dtype: .float64)
        let centred = try x - x.mean(along: -1, keepingDimension: true)
        let variance = try centred.squared().mean(along: -1, keepingDimension: true)
        let plain =
            try centred / (variance + 1e-3).squareRoot() * norm.weight.value.to(.float64)
            + norm.bias.value.to(.float64)
        #expect(try norm(x).isClose(to: plain, absolute: 1e-12))
    }

    @Test("An embedding looks rows up, and refuses a row that it has not")
    func embedding() throws {
        let source = WeightSource(nil, dtype: nil, generator: try Generator(seed: 1))
        let table = try Embedding(source.root / "words", count: 4, size: 3)
        let found = try table(Tensor([3, 0, 3, 1], [2, 2]))
        #expect(found.shape == [2, 2, 3])
        #expect(
            try found.selecting(0).selecting(0).isIdentical(to: table.weight.value.selecting(3)))
        #expect(throws: TorchError.self) { try table(Tensor([4])) }
        #expect(throws: TorchError.self) { try table(Tensor([-1])) }
    }

    // MARK: - Attention

    /// B 2, H 3, T 5, D 4; the second sequence has two tokens of padding.
    private func attentionInputs() throws -> (q: Tensor, k: Tensor, v: Tensor, mask: Tensor) {
        let parts = try (0..<3).map {
            try Tensor.seeded([2, 3, 5, 4], seed: 10 + UInt64($0), dtype: .float64)
        }
        let mask = try Tensor(
            [true, true, true, true, true, true, true, true, false, false], [2, 1, 1, 5])
        return (parts[0], parts[1], parts[2], try mask.expanded([2, 1, 5, 5]))
    }

    @Test("Attention is softmax(q kᵀ / √D) v over the keys that the mask lets through")
    func attention() throws {
        let (q, k, v, mask) = try attentionInputs()
        let scores = try q.matmul(k.transposed()) / 2
        let weights = try scores.exponential() * mask.to(.float64)
        let plain = try (weights / weights.sum(along: -1, keepingDimension: true)).matmul(v)
        let fused = try attend(q, k, v, mask: mask, dropout: 0.5, mode: .inference)
        #expect(try fused.isClose(to: plain, absolute: 1e-12))
        let open = try scores.softmax(along: -1).matmul(v)
        let unmasked = try attend(q, k, v, mask: nil, dropout: 0, mode: .inference)
        #expect(try unmasked.isClose(to: open, absolute: 1e-12))
    }

    @Test("The path that drops is the fused one but for what it drops", arguments: [true, false])
    func attentionWithDropout(_ masked: Bool) throws {
        let (q, k, v, mask) = try attentionInputs()
        let training = ForwardMode.training(try Generator(seed: 1))
        let run = { (dropout: Double) in
            try attend(q, k, v, mask: masked ? mask : nil, dropout: dropout, mode: training)
        }
        let fused = try run(0)
        // So small a probability drops nothing, but takes the path that could.
        #expect(try run(1e-13).isClose(to: fused, absolute: 1e-10))
        #expect(try run(0.5).largestDifference(to: fused) > 0.01)
    }

    @Test("Attention with dropout gives on average what it gives without")
    func attentionExpectation() throws {
        let (q, k, v, mask) = try attentionInputs()
        let training = ForwardMode.training(try Generator(seed: 1))
        let expected = try attend(q, k, v, mask: mask, dropout: 0, mode: training)
        let sum = try Tensor.zeros(like: expected)
        for _ in 0..<2000 {
            try sum.add(attend(q, k, v, mask: mask, dropout: 0.2, mode: training), times: 1 / 2000)
        }
        #expect(try sum.isClose(to: expected, absolute: 0.08))
    }

    @Test("A forward mode drops in training only")
    func forwardMode() throws {
        let x = try Tensor.ones([100])
        let generator = try Generator(seed: 1)
        #expect(try ForwardMode.inference.dropping(x, probability: 0.5) === x)
        #expect(!ForwardMode.inference.isTraining)
        let dropped = try ForwardMode.training(generator).dropping(x, probability: 0.5)
        #expect(try dropped.sum().item() < 200)
        #expect(try dropped.largestDifference(to: x) == 1)
    }

    // MARK: - Activations

    @Test(
        "Every activation has the value of its formula at 1",
        arguments: [
            (Activation.gelu, 0.841344746068543), (.geluNew, 0.8411919906082768),
            (.geluTanh, 0.8411919906082768), (.relu, 1), (.silu, 0.731058578630005),
            (.swish, 0.731058578630005), (.tanh, 0.761594155955765),
        ])
    func activation(_ activation: Activation, _ value: Double) throws {
        #expect(abs(try activation(Tensor([1.0])).item() - value) < 1e-14)
        #expect(try activation(Tensor([0.0])).item() == 0)
    }
}
