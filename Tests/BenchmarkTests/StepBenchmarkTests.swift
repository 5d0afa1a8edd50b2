import DualAdapters
import DualModels
import DualModules
import DualRuns
import DualTorch
import DualTraining
import Foundation
import TestSupport
import Testing

@testable import DualBenchmark

@Suite struct BenchmarkTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ decoder: TinyDecoder) throws -> URL {
        try decoder.write(to: folder.url)
        return folder.file("config.json")
    }

    private func benchmark(
        _ decoder: TinyDecoder, _ method: any FineTuningMethod
    ) throws -> StepBenchmark {
        var benchmark = StepBenchmark(
            configuration: try configuration(decoder), method: method)
        (benchmark.batch, benchmark.length, benchmark.steps) = (2, 5, 3)
        return benchmark
    }

    private static let methods: [any FineTuningMethod] =
        [LoRA(rank: 4), DualLoRA(magnitudeRank: 2, directionRank: 2), FullFineTuning()]

    @Test("The middle of an odd number of times is one of them, of an even number between two")
    func median() {
        #expect(TimeSpread([3, 1, 2]).median == 2)
        #expect(TimeSpread([4, 1, 2, 3]).median == 2.5)
        #expect(TimeSpread([7]) == TimeSpread([7, 7]))
        #expect((TimeSpread([3, 1, 2]).least, TimeSpread([3, 1, 2]).most) == (1, 3))
    }

    @Test(
        "Steps of every architecture and method are measured", arguments: TinyDecoder.all,
        Array(methods.indices))
    func steps(_ decoder: TinyDecoder, _ index: Int) throws {
        let method = Self.methods[index]
        var benchmark = try benchmark(decoder, method)
        benchmark.measuresLimit = true
        let found = try benchmark.run()
        #expect(found.leastMilliseconds <= found.medianMilliseconds)
        #expect(found.medianMilliseconds <= found.mostMilliseconds)
        #expect(found.peakMemoryMiB > 0)
        #expect(found.limitMilliseconds != nil)
        // The tokens are drawn evenly from 40, and the weights say little.
        #expect(found.loss > 1)
        let model = try decoder.make()
        let common = StepBenchmark.commonTargets
        let isCommon = model.linears.contains { $0.path.hasSuffix(".\(common[0])") }
        let targets = try TargetSelection.names(isCommon ? common : model.defaultTargets)
            .layers(of: model.slots)
        let expected =
            method is any AdapterMethod
            ? targets.reduce(0) {
                $0
                    + method.parameterCount(
                        outputSize: $1.outputSize, inputSize: $1.inputSize)
            } : model.parameters.reduce(0) { $0 + $1.stored.count }
        #expect(found.trainable == expected)
    }

    @Test("The same seed measures the same steps, and another seed others")
    func seeds() throws {
        var benchmark = try benchmark(TinyDecoder.all[0], LoRA(rank: 4))
        let loss = try benchmark.run().loss
        #expect(try benchmark.run().loss == loss)
        benchmark.seed = 1
        #expect(try benchmark.run().loss != loss)
    }

    // MARK: - The products of a step

    private func products(
        _ method: any FineTuningMethod, targets: [String]?
    ) throws -> StepProducts {
        let model = try TinyDecoder.all[0].make()
        let trainee = try Trainee(
            model, method: method, targets: targets.map(TargetSelection.names),
            using: Generator(seed: 1))
        let adapters = model.linears.map(\.adapter)
        let blocks = model.slots.blocks.map(\.adapter)
        let products = try trainee.products(
            of: [[1, 2, 3, 4], [5, 6, 7, 8]], layout: SequenceLayout(isPacked: false, paddingID: 0),
            mode: .training(Generator(seed: 1)))
        #expect(zip(model.linears, adapters).allSatisfy { $0.adapter === $1 })
        #expect(zip(model.slots.blocks, blocks).allSatisfy { $0.adapter === $1 })
        #expect(products.layers.map(\.layer.path) == model.linears.map(\.path) + ["lm_head"])
        return products
    }

    private func layers(_ products: StepProducts) -> [String: LayerProducts] {
        Dictionary(uniqueKeysWithValues: products.layers.map { ($0.layer.path, $0) })
    }

    @Test("Nothing below what trains first needs a gradient at its input")
    func inputGradients() throws {
        let found = layers(
            try products(LoRA(rank: 2), targets: ["layers.1.self_attn.k_proj"]))
        let without = found.filter { !$0.value.atInput }.keys.sorted()
        let first = ["down_proj", "gate_proj", "up_proj"].map { "model.layers.0.mlp.\($0)" }
        let attention = ["k", "o", "q", "v"].map { "model.layers.0.self_attn.\($0)_proj" }
        let second = ["k", "q", "v"].map { "model.layers.1.self_attn.\($0)_proj" }
        #expect(without == first + attention + second)
        #expect(found.values.allSatisfy { !$0.atWeight })
        #expect(found["lm_head"]?.rows == 6)
        #expect(found["model.layers.0.mlp.up_proj"]?.rows == 8)
    }

    @Test("Dual LoRA needs the whole gradient of what it adapts, and full fine-tuning of all")
    func weightGradients() throws {
        let dual = try products(DualLoRA(magnitudeRank: 1, directionRank: 1), targets: ["v_proj"])
        #expect(dual.layers.allSatisfy { !$0.atWeight })
        let v = try #require(layers(dual)["model.layers.0.self_attn.v_proj"]).layer
        let whole = MatrixProduct.atWeight(rows: 8, inputs: v.inputSize, outputs: v.outputSize)
        #expect(dual.own.count { $0 == whole } == 2)
        let full = try products(FullFineTuning(), targets: nil)
        #expect(full.layers.allSatisfy { $0.atWeight && $0.atInput } && full.own.isEmpty)
        #expect(full.ownShare == 0)
    }

    @Test("What an adapter's parts say of theirs is counted once, of the rows that reach them")
    func ownProducts() throws {
        func own(_ method: any FineTuningMethod) throws -> Int {
            try products(method, targets: nil).own.reduce(0) { $0 + $1.multiplyAdds }
        }
        let model = try TinyDecoder.all[0].make()
        let size = try #require(model.slots.blocks.first).hiddenSize
        // Nothing trains below the first block's end: there the way back has an end.
        #expect(try own(AdapterL(bottleneck: 3)) == 11 * 8 * 3 * size)
        let loreft = LoReFT(rank: 2, positions: EditedPositions(first: 1, last: 1))
        #expect(try own(loreft) == (7 + 9) * 4 * 2 * size)
        #expect(try own(PromptTuning(virtualTokens: 2)) == 0)
        let queries = try #require(model.slots.blockLayers.first).attentionOutput.inputSize
        #expect(try own(PrefixTuning(virtualTokens: 2)) == 2 * 6 * 8 * queries * 2)
        let prompted = try products(PromptTuning(virtualTokens: 2), targets: nil)
        #expect(prompted.layers.dropLast().allSatisfy { $0.rows == 12 })
        let lora = try products(LoRA(rank: 2), targets: nil)
        let layers = lora.layers.reduce(0) { $0 + $1.multiplyAdds }
        let own = lora.own.reduce(0) { $0 + $1.multiplyAdds }
        #expect(lora.ownShare == Double(own) / Double(own + layers) && own > 0)
    }

    // MARK: - One layer

    @Test(
        "One layer of any size is measured, however its weight is stored",
        arguments: [(1, 1, 1), (7, 33, 5), (48, 17, 19)], [false, true])
    func layer(_ sizes: (Int, Int, Int), _ isTransposed: Bool) throws {
        for case let method as any LinearAdapterMethod in Self.methods {
            for dtype in [DType.float32, .bfloat16] {
                var benchmark = LayerBenchmark(
                    outputSize: sizes.0, inputSize: sizes.1, method: method)
                (benchmark.tokens, benchmark.steps) = (sizes.2, 2)
                (benchmark.isTransposed, benchmark.computeType) = (isTransposed, dtype)
                let found = try benchmark.run()
                #expect(found.products == (method is LoRA ? 2 : 3))
                #expect(found.ownShare > 0 && found.ownShare < 1)
                #expect(found.medianMilliseconds > 0)
                #expect(
                    found.trainable
                        == method.parameterCount(outputSize: sizes.0, inputSize: sizes.1))
            }
        }
    }

    // MARK: - Weights in a folder

    @Test("Random weights are written one at a time, and opened as they were drawn")
    func randomCheckpoint() throws {
        for decoder in TinyDecoder.all {
            let source = try TemporaryFolder()
            try decoder.write(to: source.url)
            let output = folder.file("\(decoder)")
            let written = try RandomCheckpoint.write(
                source.file("config.json"), dtype: .bfloat16, seed: 3, to: output)
            var options = ModelFolder.LoadOptions()
            options.weights = .stored
            let loaded = try ModelFolder(output).load(options)
            #expect(loaded.unused.isEmpty && loaded.created.isEmpty)
            let parameters = loaded.model.parameters
            #expect(parameters.count == written.tensors)
            #expect(parameters.reduce(0) { $0 + $1.stored.byteCount } == written.bytes)
            #expect(parameters.allSatisfy { $0.stored.numberType == .bfloat16 })
            for parameter in parameters where parameter.stored.shape.count == 2 {
                // The configuration says 0.3; GPT-2's outputs have less.
                let size = try parameter.value.rootMeanSquare()
                #expect(0.1 < size && size < 0.4, "\(parameter.name)")
            }
        }
    }

    @Test("Weights in a folder are measured where they lie, and must be the model's")
    func weights() throws {
        var benchmark = try benchmark(TinyDecoder.all[0], LoRA(rank: 4))
        let weights = folder.file("weights")
        _ = try RandomCheckpoint.write(
            benchmark.configuration, dtype: .bfloat16, seed: 3, to: weights)
        benchmark.weights = weights
        let found = try benchmark.run()
        #expect(found.weightsAreMapped == true)
        // Rounded: a file as small as this makes no difference.
        #expect((found.peakWithoutWeightsMiB ?? 0) <= found.peakMemoryMiB)
        benchmark.computeType = .float32
        #expect(try benchmark.run().weightsAreMapped == true)
        benchmark.quantization = .q8_0
        #expect(try benchmark.run().weightsAreMapped == false)
        let fields = try ConfigurationFile(benchmark.configuration).fields
        let fewer = fields.merging(["num_hidden_layers": 1]) { $1 }
        try folder.write(try JSONSerialization.data(withJSONObject: fewer), to: "config.json")
        #expect(message { _ = try benchmark.run() }.contains("9 tensor(s)"))
    }

    @Test("Random weights never take the place of others, and leave nothing when they fail")
    func places() throws {
        let configuration = try configuration(TinyDecoder.all[0])
        func problem(_ place: URL) -> String {
            message {
                _ = try RandomCheckpoint.write(
                    configuration, dtype: .bfloat16, seed: 3, to: place)
            }
        }
        let before = try folder.read("model.safetensors")
        #expect(problem(folder.url).contains("it has weights already, model.safetensors"))
        #expect(try folder.read("model.safetensors") == before)
        #expect(problem(configuration.appendingPathComponent("x")).contains("cannot be written"))
        try folder.write(#"{"model_type": "llama", "vocab_size": -1}"#, to: "config.json")
        #expect(problem(folder.file("new")).contains("vocab_size"))
        #expect(!folder.contents.contains("new"))
    }
}
