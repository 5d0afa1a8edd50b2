import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about bottlenecks behind blocks.
@Suite struct AdapterLTests {
    private let places = TokenPlaces(sequences: [(0, 0..<4), (1, 0..<4)])

    private func block(dtype: DType = .float64) throws -> BlockEnd {
        BlockEnd(
            path: "b", beside: Parameter(name: "n", value: try .seeded([6], seed: 1, dtype: dtype)))
    }

    private func moved(dtype: DType = .float64) throws -> any BlockAdapter {
        let adapter = try AdapterL(bottleneck: 3).makeAdapter(
            for: block(dtype: dtype), using: Generator(seed: 2))
        for (index, parameter) in adapter.parameters.enumerated() {
            try parameter.value.copy(
                from: .seeded(parameter.value.shape, seed: 20 + UInt64(index), deviation: 0.5))
        }
        return adapter
    }

    @Test("The output is h + U relu(D LN(h) + c) + c'")
    func definition() throws {
        let adapter = try moved()
        #expect(
            adapter.parameters.map(\.name) == [
                "adapter_norm.weight", "adapter_norm.bias", "adapter_down.weight",
                "adapter_down.bias", "adapter_up.weight", "adapter_up.bias",
            ])
        let matrices = try adapter.parameters.map {
            try PlainMatrix($0.value.reshaped(-1, $0.value.size(-1)))
        }
        let input = try Tensor.seeded([2, 4, 6], seed: 3, dtype: .float64)
        let x = try PlainMatrix(input.reshaped(-1, 6))
        let means = (0..<x.rows).map { row in (0..<6).reduce(0) { $0 + x[row, $1] } / 6 }
        let deviations = (0..<x.rows).map { row in
            ((0..<6).reduce(0) { sum, column in
                sum + (x[row, column] - means[row]) * (x[row, column] - means[row])
            } / 6 + 1e-5).squareRoot()
        }
        let normed = PlainMatrix(x.rows, 6) {
            (x[$0, $1] - means[$0]) / deviations[$0] * matrices[0][0, $1] + matrices[1][0, $1]
        }
        let products = normed * matrices[2].transposed
        let inner = PlainMatrix(x.rows, 3) { max(0, products[$0, $1] + matrices[3][0, $1]) }
        let outer = inner * matrices[4].transposed
        let expected = PlainMatrix(x.rows, 6) {
            x[$0, $1] + outer[$0, $1] + matrices[5][0, $1]
        }
        let found = try adapter(input, at: places, mode: .inference)
        #expect(try found.reshaped(-1, 6).isClose(to: expected.tensor(), absolute: 1e-12))
    }

    @Test("The output has the input's type, and every tensor gets its gradient")
    func types() throws {
        let adapter = try moved(dtype: .bfloat16)
        for dtype in [DType.bfloat16, .float32] {
            let x = try Tensor.seeded([2, 4, 6], seed: 3, dtype: dtype).requireGradient()
            let leaves = try [x] + adapter.parameters.map { try $0.value.requireGradient() }
            let output = try adapter(x, at: places, mode: .training(Generator(seed: 1)))
            #expect(output.dtype == dtype)
            let gradients = try output.squared().sum().gradients(with: leaves)
            #expect(gradients.map { $0?.dtype } == leaves.map(\.dtype))
            for gradient in gradients { #expect(try #require(gradient).norm().item() > 0) }
        }
    }

    @Test("The published counts of GPT-2 medium and large")
    func counts() {
        func count(_ layers: Int, _ size: Int, _ bottleneck: Int) -> Int {
            layers
                * AdapterL(bottleneck: bottleneck)
                .parameterCount(outputSize: size, inputSize: size)
        }
        #expect(count(24, 1024, 224) == 11_089_152)
        #expect(count(36, 1280, 248) == 23_002_848)
    }

    @Test("Houlsby's two stand at the ends of attention and feed-forward")
    func houlsby() throws {
        let method = AdapterL(bottleneck: 3, placement: .houlsby)
        #expect(method.activation == .gelu)
        let bert = try Bert.tiny()
        let set = try AdapterSet(method, of: bert.slots, using: Generator(seed: 1))
        #expect(
            set.layers.map(\.path)
                == [0, 1].flatMap { layer in
                    ["attention.output.dense", "output.dense"].map {
                        "bert.encoder.layer.\(layer).\($0)"
                    }
                })
        #expect(
            set.parameterCount == 2 * method.parameterCount(outputSize: 12, inputSize: 12))
        let draws = try set.parameters.filter { $0.value.rank > 1 }.map {
            try $0.value.reshaped(-1)
        }
        #expect(abs(try Tensor.joined(draws, along: 0).rootMeanSquare() / 0.01 - 1) < 0.1)
        #expect(
            try set.parameters.filter { $0.value.rank == 1 }.allSatisfy {
                try $0.value.norm().item() == 0
            })
    }

    @Test("Targets are for layers, not for whole blocks")
    func targets() throws {
        let slots = try Bert.tiny().slots
        let text = message {
            _ = try AdapterSet(
                AdapterL(), targets: .names(["query"]), of: slots, using: Generator(seed: 1))
        }
        #expect(text.hasPrefix("`targets` for adapter-l: "))
        let set = try AdapterSet(
            AdapterL(placement: .houlsby), targets: .names(["output.dense"]), of: slots,
            using: Generator(seed: 1))
        #expect(set.layers.count == 4)
    }
}
