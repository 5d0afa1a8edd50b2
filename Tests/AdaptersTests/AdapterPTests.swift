import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about bottlenecks at linear layers.
@Suite struct AdapterPTests {
    private func layer() throws -> Linear { try AdapterCase.layer(dtype: .float64) }

    private func moved(_ method: AdapterP, for layer: Linear) throws -> any LinearAdapter {
        try AdapterCase(testDescription: "", method: method, count: { $0 + $1 }).moved(for: layer)
    }

    @Test("A bottleneck without a function is a LoRA of its rank and scale")
    func isLoRA() throws {
        let layer = try layer()
        let x = try AdapterCase.input(dtype: .float64).requireGradient()
        var method = AdapterP(bottleneck: 3)
        (method.activation, method.scale) = (.identity, 1.5)
        let adapter = try moved(method, for: layer)
        let tensors = adapter.parameters.map(\.value)
        let lora = LoRALayer(down: tensors[0], up: tensors[1], scale: 1.5, dropout: 0)
        let leaves = try [x] + tensors.map { try $0.requireGradient() }
        let outputs = try [adapter, lora].map {
            try $0(x, through: layer, mode: .training(Generator(seed: 1)))
        }
        // Of float64: the scale comes in at another place.
        #expect(try outputs[0].isClose(to: outputs[1], absolute: 1e-13))
        let seed = try Tensor.seeded([3, 4, 7], seed: 9, dtype: .float64)
        let gradients = try outputs.map { try $0.gradients(with: leaves, seed: seed) }
        for (found, expected) in zip(gradients[0], gradients[1]) {
            #expect(try #require(found).isClose(to: #require(expected), absolute: 1e-12))
        }
    }

    /// f of the options, in plain Swift.
    static let functions: [(BottleneckActivation, @Sendable (Double) -> Double)] = [
        (.identity, { $0 }), (.relu, { max(0, $0) }),
        (.tanh, { 1 - 2 / (1 + exponential(2 * $0)) }), (.silu, { $0 / (1 + exponential(-$0)) }),
    ]

    /// eˣ by its series.
    private static func exponential(_ x: Double) -> Double {
        var (sum, term) = (1.0, 1.0)
        for index in 1..<80 {
            term *= x / Double(index)
            sum += term
        }
        return sum
    }

    @Test("Each place is its formula", arguments: BottleneckPlace.allCases, [0, 1, 2, 3])
    func formulas(_ place: BottleneckPlace, _ function: Int) throws {
        let (activation, f) = Self.functions[function]
        var method = AdapterP(bottleneck: 3)
        (method.place, method.activation, method.scale, method.hasBias) = (
            place, activation, 0.7, true
        )
        let layer = try layer()
        let adapter = try moved(method, for: layer)
        let tensors = Dictionary(
            uniqueKeysWithValues: adapter.parameters.map { ($0.name, $0.value) })
        func matrix(_ name: String) throws -> PlainMatrix {
            try PlainMatrix(#require(tensors[name]).reshaped(-1, #require(tensors[name]).size(-1)))
        }
        func add(_ bias: PlainMatrix, to x: PlainMatrix) -> PlainMatrix {
            PlainMatrix(x.rows, x.columns) { x[$0, $1] + bias[0, $1] }
        }
        func branch(_ x: PlainMatrix) throws -> PlainMatrix {
            let inner = try add(
                matrix("adapter_down.bias"), to: x * matrix("adapter_down.weight").transposed
            ).map(f)
            return try add(
                matrix("adapter_up.bias"), to: inner * matrix("adapter_up.weight").transposed
            ).map { 0.7 * $0 }
        }
        let bias = try PlainMatrix(#require(layer.bias).value.reshaped(1, -1))
        let weight = try PlainMatrix(layer.weight.value)
        func base(_ x: PlainMatrix) -> PlainMatrix { add(bias, to: x * weight.transposed) }
        let input = try AdapterCase.input(dtype: .float64)
        let x = try PlainMatrix(input.reshaped(-1, 5))
        let expected =
            switch place {
            case .parallel: try base(x).combined(branch(x), +)
            case .serialInput: try base(x.combined(branch(x), +))
            case .serialOutput: try base(x).combined(branch(base(x)), +)
            }
        let found = try adapter(input, through: layer, mode: .inference).reshaped(-1, 7)
        #expect(try found.isClose(to: expected.tensor(), absolute: 1e-12))
    }

    @Test("It cannot be merged")
    func merging() throws {
        let layer = try layer()
        let adapter = try AdapterP(bottleneck: 3).makeAdapter(
            for: layer, using: Generator(seed: 1))
        layer.adapter = adapter
        #expect(!(adapter is any WeightChange))
        #expect(throws: MergeObstacle.noWeightChange(layer: layer.path)) {
            try layer.mergeAdapter()
        }
        #expect(layer.adapter === adapter)
    }

    @Test("The published count of LLaMA-7B: 3.54 % at up and down")
    func count() {
        let method = AdapterP()
        let block =
            method.parameterCount(outputSize: 11008, inputSize: 4096)
            + method.parameterCount(outputSize: 4096, inputSize: 11008)
        #expect(32 * block == 247_463_936)
    }

    @Test("The starts are normal numbers of 0.02, or LoRA's")
    func start() throws {
        let layer = Linear(path: "x", weight: try .seeded([300, 400], seed: 3))
        var method = AdapterP(bottleneck: 64)
        let bert = try method.makeAdapter(for: layer, using: Generator(seed: 5)).parameters
        for (_, value) in bert {
            #expect(abs(try value.rootMeanSquare() / 0.02 - 1) < 0.03)
            #expect(abs(try value.mean().item()) < 1e-3)
        }
        method.start = .mam
        let mam = try method.makeAdapter(for: layer, using: Generator(seed: 5)).parameters
        #expect(abs(try mam[0].value.rootMeanSquare() * 3.0.squareRoot() / 0.05 - 1) < 0.03)
        #expect(try mam[1].value.norm().item() == 0)
    }

    @Test("Without targets it stands at the layers into and out of the feed-forward")
    func targets() throws {
        func paths(_ slots: AdapterSlots, _ targets: TargetSelection = .standard) throws -> [String]
        {
            try AdapterSet(
                AdapterP(bottleneck: 2), targets: targets, of: slots, using: Generator(seed: 1)
            ).layers.map(\.path)
        }
        let bert = try Bert.tiny().slots
        #expect(
            try paths(bert)
                == [0, 1].flatMap { layer in
                    ["intermediate", "output"].map { "bert.encoder.layer.\(layer).\($0).dense" }
                })
        var second = TargetSelection.standard
        second.blocks = [1]
        #expect(try paths(bert, second).count == 2)
        #expect(try paths(bert, .names(["query"])).count == 2)
        let llama = try TinyDecoder.all[0].make().slots
        #expect(
            try paths(llama).map { $0.split(separator: ".").suffix(3).joined(separator: ".") } == [
                "0.mlp.up_proj", "0.mlp.down_proj", "1.mlp.up_proj", "1.mlp.down_proj",
            ])
        let gpt2 = try TinyDecoder.gpt2(dropout: 0).make().slots
        #expect(
            try paths(gpt2).map { $0.split(separator: ".").suffix(3).joined(separator: ".") } == [
                "0.mlp.c_fc", "0.mlp.c_proj", "1.mlp.c_fc", "1.mlp.c_proj",
            ])
    }

    /// Fields of LLM-Adapters' configuration, and what they are read as; nil where they are
    /// refused.
    static let configurations: [(String, [String: any Sendable], BottleneckPlace?)] = [
        (
            "parallel",
            ["use_parallel_adapter": true, "bottleneck_size": 8, "use_adapterp": false],
            .parallel
        ),
        ("neither", ["use_parallel_adapter": false], nil),
        ("Pfeiffer's", ["use_adapterp": true, "use_parallel_adapter": true], nil),
        ("another type", ["adapter_type": "side"], nil),
        ("serial", ["adapter_type": "mh_adapter"], .serialInput),
    ]

    @Test("LLM-Adapters' files are read where they say enough", arguments: configurations.indices)
    func reading(_ index: Int) throws {
        let (_, fields, place) = Self.configurations[index]
        let file = ConfigurationFile(.init(fileURLWithPath: "adapter_config.json"), fields: fields)
        if let place {
            #expect(try AdapterP(file).place == place)
        } else {
            #expect(throws: (any Error).self) { try AdapterP(file) }
        }
    }
}
