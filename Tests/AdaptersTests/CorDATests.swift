import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about CorDA: where it starts.
@Suite struct CorDATests {
    private let covariance: Tensor
    private let weight: Tensor

    init() throws {
        weight = try .seeded([9, 6], seed: 1, dtype: .float64)
        // Of inputs that lie in some directions more than in others.
        let inputs = try Tensor.seeded([40, 6], seed: 2, dtype: .float64)
            .matmul(.seeded([6, 6], seed: 3, dtype: .float64))
        covariance = try inputs.transposed().matmul(inputs) / 40
    }

    private func unit(_ size: Int) throws -> Tensor {
        try PlainMatrix(size, size) { $0 == $1 ? 1 : 0 }.tensor()
    }

    /// s B A as an adapter begins that sees one input of a given covariance.
    private func start(_ method: CorDA, under covariance: Tensor) throws -> Tensor {
        let decomposition = try ContextDecomposition(of: weight, under: covariance, path: "x")
        let chosen = try decomposition.factors(
            rank: method.rank, takingFirst: method.mode == .instructionPreviewed)
        return try chosen.up.matmul(chosen.down)
    }

    @Test("The triples make the weight again, in the order in which they matter to the inputs")
    func reconstruction() throws {
        let found = try ContextDecomposition(of: weight, under: covariance, path: "x")
        let whole = try found.factors(rank: 6, takingFirst: true)
        #expect(try whole.up.matmul(whole.down).isClose(to: weight, absolute: 1e-10))
        let values: [Double] = try found.values.array()
        #expect(values == values.sorted(by: >))
        // What the first triples leave of W C is no more than what any others of the weight's own
        // do.
        func rest(_ matrix: Tensor) throws -> Double {
            try (weight - matrix).matmul(covariance).norm().item()
        }
        let plain = try ContextDecomposition(of: weight, under: unit(6), path: "x")
        for rank in 1..<6 {
            func product(_ found: ContextDecomposition, _ takingFirst: Bool) throws -> Tensor {
                let parts = try found.factors(rank: rank, takingFirst: takingFirst)
                return try parts.up.matmul(parts.down)
            }
            #expect(try rest(product(found, true)) < rest(product(plain, true)))
            #expect(try rest(product(found, true)) < rest(product(found, false)))
        }
    }

    @Test("For inputs alike in all directions it is PiSSA, and from the other end MiLoRA")
    func withoutContext() throws {
        let parts = try weight.singularValueDecomposition()
        func product(_ range: Range<Int>) throws -> Tensor {
            try (parts.left.slice(range, along: 1) * parts.values.slice(range))
                .matmul(parts.right.slice(range))
        }
        let (first, last) = (
            try start(CorDA(rank: 2), under: unit(6)),
            try start(CorDA(rank: 2, mode: .knowledgePreserved), under: unit(6))
        )
        #expect(try first.isClose(to: product(0..<2), absolute: 1e-10))
        #expect(try last.isClose(to: product(4..<6), absolute: 1e-10))
    }

    @Test("A covariance is damped until its inverse is one, also where inputs miss directions")
    func damping() throws {
        let line = try Tensor.seeded([1, 6], seed: 4)
        let found = try ContextDecomposition(
            of: weight.to(.float32), under: line.transposed().matmul(line) * 1e-3, path: "x")
        let whole = try found.factors(rank: 6, takingFirst: true)
        #expect(try whole.up.matmul(whole.down).isClose(to: weight, absolute: 1e-3))
        for bad in [try Tensor.zeros([6, 6]), try .full([6, 6], .nan)] {
            #expect(throws: AdapterError.self) {
                _ = try ContextDecomposition(of: weight.to(.float32), under: bad, path: "x")
            }
        }
    }

    @Test("A covariance is the mean over samples, each divided by its largest element's magnitude")
    func covarianceOfInputs() throws {
        let layer = Linear(path: "x", weight: weight)
        let samples = try [
            Tensor([1.0, 2, -8, 0, 0, 0], [1, 1, 6]),
            Tensor([-1.0, -2, -4, -5, -1, -1, -3, -3, -3, -3, -3, -3], [1, 2, 6]),
        ]
        layer.adapter = LoRALayer(
            down: try .ones([1, 6], dtype: .float64), up: try .ones([9, 1], dtype: .float64),
            scale: 1, dropout: 0)
        let before = layer.adapter
        var outputs: [Tensor] = []
        let found = try InputCovariance.watching([layer]) {
            outputs = try samples.map { try layer($0) }
        }
        #expect(layer.adapter === before)
        for (output, sample) in zip(outputs, samples) {
            #expect(try output.isIdentical(to: layer.frozen(sample)))
        }
        // The largest elements are 2 and -1, not those of the largest magnitude.
        let scaled = try samples.enumerated().map {
            try $1.reshaped(-1, 6) / ($0 == 0 ? 2 : 1)
        }
        let expected = try scaled.map { try $0.transposed().matmul($0) }
        #expect(try found[0].isClose(to: (expected[0] + expected[1]) / 2, absolute: 1e-12))
    }

    @Test("Inputs that say nothing are refused by the layer, and its adapter stays")
    func badInputs() throws {
        let layer = Linear(path: "encoder.query", weight: weight)
        for value in [0, Double.nan, .infinity] {
            let text = message {
                _ = try InputCovariance.watching([layer]) {
                    _ = try layer(.full([2, 6], value, dtype: .float64))
                }
            }
            #expect(text.hasPrefix("encoder.query cannot be calibrated: "))
            #expect(layer.adapter == nil)
        }
        let text = message { _ = try InputCovariance.watching([layer]) {} }
        #expect(text.hasSuffix("no input reached it"))
    }

    @Test(
        "Calibrated, it begins at s B A of the weight's own, and at the base",
        arguments: CorDA.Mode.allCases)
    func calibration(_ mode: CorDA.Mode) throws {
        let layer = Linear(path: "x", weight: weight)
        let method = CorDA(rank: 3, alpha: 5, mode: mode)
        let adapter = try #require(
            try method.makeAdapter(for: layer, using: Generator(seed: 1)) as? CorDALayer)
        let x = try Tensor.seeded([1, 30, 6], seed: 7, dtype: .float64)
        try method.calibrate([.linear(layer, adapter)]) { _ = try layer(x) }
        let rows = try x.reshaped(-1, 6) / x.maximum().item()
        let expected = try start(method, under: rows.transposed().matmul(rows))
        let found = try 5.0 / 3 * adapter.up.matmul(adapter.down)
        #expect(try found.isClose(to: expected, absolute: 1e-9))
        #expect(try adapter.weightUpdate(for: layer).norm().item() == 0)
        let output = try adapter(x, through: layer, mode: .inference)
        #expect(try output.isClose(to: layer.frozen(x), absolute: 1e-12))
        // Both factors have a share in the size of the triples.
        let sizes = try (adapter.up.transposed().matmul(adapter.up)).diagonal().squareRoot()
        let triples = try ContextDecomposition(
            of: weight, under: rows.transposed().matmul(rows), path: "x")
        let values = try triples.values.slice(mode == .instructionPreviewed ? 0..<3 : 3..<6)
        #expect(try sizes.isClose(to: (values / (5.0 / 3)).squareRoot(), absolute: 1e-9))
    }

    @Test("A model's layers are calibrated by the examples asked for, those of other methods not")
    func model() throws {
        let bert = try Bert.tiny()
        let set = try AdapterSet(
            CorDA(rank: 2, calibrationSamples: 3), targets: .names(["query", "output.dense"]),
            of: bert.slots, using: Generator(seed: 1))
        let batch = try TokenBatch.seeded(lengths: [5])
        let base = try Bert.tiny().logits(batch)
        var seen: [Int] = []
        let count = try set.calibrate(examples: 9) { index in
            seen.append(index)
            _ = try bert.logits(batch)
        }
        #expect((count, seen) == (3, [0, 1, 2]))
        #expect(set.isIn)
        #expect(try bert.logits(batch).isClose(to: base, absolute: 1e-5))
        #expect(set.state.allSatisfy { (try? $0.value.norm().item()) ?? 0 > 0 })
        #expect(try set.calibrate(examples: 2) { _ in _ = try bert.logits(batch) } == 2)

        let other = try AdapterSet(
            LoRA(rank: 2), targets: .standard, of: Bert.tiny().slots, using: Generator(seed: 1))
        #expect(try other.calibrate(examples: 9) { _ in seen.append(9) } == 0)
        #expect(!seen.contains(9))
    }

    @Test("A rank that a layer does not have is refused by the layer")
    func rankTooLarge() throws {
        let bert = try Bert.tiny()
        let set = try AdapterSet(
            CorDA(rank: 13), targets: .names(["query"]), of: bert.slots, using: Generator(seed: 1))
        let text = message { try set.calibrate(examples: 1) { _ in } }
        #expect(text.hasPrefix("`rank` for corda: 13 is more than bert.encoder.layer.0."))
        #expect(text.hasSuffix("12 x 12"))
    }

    @Test("It is saved as a LoRA of twice the rank and twice the alpha on the plain weight")
    func saving() throws {
        let folder = try TemporaryFolder()
        let (bert, other) = (try Bert.tiny(), try Bert.tiny())
        let set = try AdapterSet(
            CorDA(rank: 3, alpha: 5, dropout: 0.1), targets: .names(["query"]), of: bert.slots,
            using: Generator(seed: 1))
        try randomize(set, seed: 9)
        try AdapterFolder.write(set, baseModel: "base", to: folder.url)
        let file = try ConfigurationFile(folder.file("adapter_config.json"))
        #expect(try file.text("peft_type") == "LORA")
        #expect(try (file.integer("r"), file.integer("lora_alpha")) == (6, 10))
        #expect(try file.number("lora_dropout") == 0.1)
        let loaded = try AdapterFolder(folder.url).attach(to: other.slots)
        #expect(loaded.method is LoRA)
        let batch = try TokenBatch.seeded(lengths: [6, 4])
        let logits = try bert.logits(batch)
        #expect(try other.logits(batch).isClose(to: logits, absolute: 1e-6))
        #expect(try Bert.tiny().logits(batch).largestDifference(to: logits) > 1e-3)
    }

    @Test("Options that make no sense are refused")
    func options() throws {
        let made = try CorDA(["corda-method": "kpm", "calibration-samples": "32", "rank": "4"])
        #expect((made.mode, made.calibrationSamples) == (.knowledgePreserved, 32))
        #expect(
            try (CorDA([:]).mode, CorDA([:]).calibrationSamples) == (.instructionPreviewed, 256))
        for (options, words) in [
            (["corda-method": "pca"], "`corda-method` for corda: 'pca' is none of ipm, kpm"),
            (["calibration-samples": "0"], "`calibration-samples` for corda: 0 is less than 1"),
        ] as [(MethodOptions, String)] {
            #expect(message { _ = try CorDA(options) }.contains(words))
        }
    }
}
