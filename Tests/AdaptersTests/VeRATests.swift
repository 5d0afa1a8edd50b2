import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct VeRATests {
    /// Layers of several shapes: 9 x 4, 3 x 8, 6 x 6.
    private func layers(dtype: DType = .float64) throws -> [Linear] {
        try [(9, 4), (3, 8), (6, 6)].enumerated().map { index, size in
            Linear(
                path: "layers.\(index).q",
                weight: try .seeded([size.0, size.1], seed: UInt64(index), dtype: dtype))
        }
    }

    private func parts(_ method: VeRA, seed: UInt64 = 1) throws -> AdapterParts {
        try method.makeAdapters(for: layers(), using: Generator(seed: seed))
    }

    private func moved(_ parts: AdapterParts) throws -> [VeRALayer] {
        let layers = parts.placed.compactMap { $0.part as? VeRALayer }
        for (index, layer) in layers.enumerated() {
            for (_, value) in layer.parameters {
                try value.copy(
                    from: .seeded(value.shape, seed: 40 + UInt64(index), dtype: .float64))
            }
        }
        return layers
    }

    @Test("The shared matrices have the largest layer's sizes, and layers take their share")
    func slices() throws {
        let parts = try parts(VeRA(rank: 5))
        #expect(parts.shared.map(\.name) == ["vera_A", "vera_B"])
        #expect(parts.shared.map(\.value.shape) == [[5, 8], [9, 5]])
        // What is written to the shared matrices is seen in every layer: they have one memory.
        for (_, value) in parts.shared {
            try value.copy(from: .seeded(value.shape, seed: 9, dtype: .float64))
        }
        for case let layer as VeRALayer in parts.placed.map(\.part) {
            let (rows, columns) = (layer.up.size(0), layer.down.size(1))
            #expect(
                try layer.down.isIdentical(
                    to: parts.shared[0].value.slice(0..<columns, along: 1)))
            #expect(try layer.up.isIdentical(to: parts.shared[1].value.slice(0..<rows)))
        }
    }

    @Test("The matrices follow the key and not the run's seed")
    func key() throws {
        func shared(_ key: Int, _ seed: UInt64) throws -> [Tensor] {
            var method = VeRA(rank: 5)
            method.projections.key = key
            return try parts(method, seed: seed).shared.map(\.value)
        }
        for (one, other) in zip(try shared(0, 1), try shared(0, 2)) {
            #expect(try one.isIdentical(to: other))
        }
        for (one, other) in zip(try shared(0, 1), try shared(1, 1)) {
            #expect(try one.largestDifference(to: other) > 0.1)
        }
        for value in try shared(3, 1) {
            // A: fan in 8; B: fan in 5.
            let bound = (6 / Double(value.size(1))).squareRoot()
            let largest = try value.magnitude().maximum().item()
            #expect(largest <= bound && largest > 0.8 * bound)
        }
    }

    @Test("It is the LoRA of diag(e) A and diag(b) B at a scale of 1")
    func asLoRA() throws {
        let layers = try layers()
        for (base, vera) in zip(layers, try moved(parts(VeRA(rank: 5)))) {
            let lora = LoRALayer(
                down: try vera.down * vera.inner.expandedDimension(at: 1),
                up: try vera.up * vera.outer.expandedDimension(at: 1), scale: 1, dropout: 0)
            let x = try Tensor.seeded([3, base.inputSize], seed: 8, dtype: .float64)
            #expect(
                try vera(x, through: base, mode: .inference).isClose(
                    to: lora(x, through: base, mode: .inference), absolute: 1e-12))
        }
    }

    @Test("The gradients are those of the definition where x needs none, and where x alone does")
    func partialGradients() throws {
        let base = try layers()[0]
        let layer = try moved(parts(VeRA(rank: 5)))[0]
        let x = try Tensor.seeded([3, 4], seed: 8, dtype: .float64)
        let seed = try Tensor.seeded([3, 9], seed: 9, dtype: .float64)
        func check(_ leaves: [Tensor]) throws {
            for leaf in leaves { try leaf.requireGradient() }
            let found = try layer(x, through: base, mode: .inference)
                .gradients(with: leaves, seed: seed)
            let plain = try x.linear(base.weight.value + layer.weightUpdate(for: base))
            for (found, right) in zip(found, try plain.gradients(with: leaves, seed: seed)) {
                #expect(try #require(found).isClose(to: #require(right), absolute: 1e-12))
            }
            for leaf in leaves { try leaf.requireGradient(false) }
        }
        try check([layer.outer])
        try check([layer.inner])
        try check([x])
    }

    // In a process of its own: the count is everyone's.
    @Test("Only x and its projection are kept for the backward")
    func memory() async {
        await #expect(processExitsWith: .success) {
            let tests = VeRATests()
            let base = try tests.layers(dtype: .float32)[0]
            let layer = try VeRA(rank: 5).makeAdapter(for: base, using: Generator(seed: 1))
            for (_, value) in layer.parameters { try value.requireGradient() }
            let x = try Tensor.seeded([3, 4], seed: 8).requireGradient()
            func run() throws -> Tensor {
                try layer(x, through: base, mode: .training(Generator(seed: 1)))
            }
            _ = try run()
            let before = TorchRuntime.liveTensors
            let output = try run()
            // The output, x as the backward reads it, its projection; and a step leaves nothing.
            #expect(TorchRuntime.liveTensors - before == 3)
            withExtendedLifetime(output) {}
            for _ in 0..<3 {
                let before = TorchRuntime.liveTensors
                try run().sum().backward()
                for (_, value) in layer.parameters { try value.setGradient(nil) }
                try x.setGradient(nil)
                #expect(TorchRuntime.liveTensors == before)
            }
        }
    }

    @Test("Options that cannot be are refused")
    func options() {
        func message(_ options: MethodOptions) -> String {
            TestSupport.message { _ = try VeRA(options) }
        }
        #expect(message(["d-initial": "0"]).hasPrefix("`d-initial` for vera: 0.0 is no scale"))
        #expect(message(["bias": "lora_only"]).contains("none of none, all, vera_only"))
        #expect(message(["save-projection": "no"]).contains("'no' is not true or false"))
        #expect(message(["alpha": "4"]).contains("no such option"))
    }
}
