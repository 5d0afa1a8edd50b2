import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

/// A method of a client's own, which sees what is public alone.
///
///     W' = diag(1 + s l) W₀,  l (out)
private struct RowScaling: LinearAdapterMethod {
    static let facts = MethodFacts(
        name: "row-scaling", title: "Row scaling", equation: "W' = diag(1 + s l) W0",
        parameterFormula: "d", merges: true, source: "this test")
    static let format = AdapterFormat("ROW_SCALING") {
        $0.constants = ["scales_rows": true]
        $0.refusedFields = ["scales_columns"]
    }
    static let hyperparameters: [Hyperparameter<RowScaling>] = [
        Hyperparameter(
            "row-scale", \.scale,
            .positive.refusing { $0 > 100 ? "\($0) is more than 100" : nil }, "s.",
            key: "row_scale"),
        Hyperparameter(
            "row-start", \.start, .choice, "How l starts: zero or one.", key: "start",
            missing: .one),
    ]

    enum Start: String, CaseIterable { case zero, one }

    var scale = 2.0
    var start = Start.zero

    let defaultLearningRate = 1e-3

    func parameterCount(outputSize: Int, inputSize: Int) -> Int { outputSize }

    func makeAdapter(for base: Linear, using generator: Generator) throws -> any LinearAdapter {
        RowScalingLayer(
            factors: try .full([base.outputSize], start == .zero ? 0 : 1, dtype: .float32),
            scale: scale)
    }
}

private final class RowScalingLayer: WeightChange {
    private let factors: Tensor
    private let scale: Double

    init(factors: Tensor, scale: Double) { (self.factors, self.scale) = (factors, scale) }

    var parameters: [(name: String, value: Tensor)] { [("row_factors", factors)] }

    func weightUpdate(for base: Linear) throws -> Tensor {
        try (scale * factors).expandedDimension(at: 1) * base.weight.value
    }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        try base.frozen(x) + x.linear(weightUpdate(for: base).to(x.dtype))
    }
}

/// The same under a name that there is.
private struct SecondLoRA: WeightTrainingMethod {
    static let facts = MethodFacts(
        name: "lora", title: "", equation: "", parameterFormula: "", merges: false, source: "")
    let defaultLearningRate = 1e-3
    func parameterCount(outputSize: Int, inputSize: Int) -> Int { 0 }
}

/// One whose files would be LoRA's.
private struct LoRAInDisguise: LinearAdapterMethod {
    static let facts = MethodFacts(
        name: "disguise", title: "", equation: "", parameterFormula: "", merges: false, source: "")
    static let format = AdapterFormat("LORA") { $0.discriminators = ["is_disguised": true] }
    let defaultLearningRate = 1e-3
    func parameterCount(outputSize: Int, inputSize: Int) -> Int { 0 }
    func makeAdapter(for base: Linear, using generator: Generator) throws -> any LinearAdapter {
        try RowScaling().makeAdapter(for: base, using: generator)
    }
}

/// What a method from outside of the package needs is public, and the registry takes it.
@Suite struct ClientMethodTests {
    @Test("A client's method is made by its name and options, trains, and is read back")
    func wholeWay() throws {
        try MethodRegistry.register(RowScaling.self)
        // Once more changes nothing.
        try MethodRegistry.register(RowScaling.self)
        #expect(MethodRegistry.names.filter { $0 == "row-scaling" }.count == 1)
        let made = try MethodRegistry.make("row-scaling", ["row_scale": "0.5"])
        let method = try #require(made as? RowScaling)
        #expect(method.settings.all.map(\.value) == ["0.5", "zero"])

        let batch = try TokenBatch.seeded(lengths: [6, 4])
        let bert = try Bert.tiny()
        let before = try bert.logits(batch)
        let set = try AdapterSet(method, of: bert.slots, using: Generator(seed: 1))
        #expect(try bert.logits(batch).isIdentical(to: before))
        try step(set, bert, batch)
        let trained = try bert.logits(batch)
        #expect(try trained.largestDifference(to: before) > 1e-4)

        let folder = try TemporaryFolder()
        try AdapterFolder.write(set, baseModel: "base", to: folder.url)
        let other = try Bert.tiny()
        let read = try AdapterFolder(folder.url)
        #expect((read.method as? RowScaling)?.scale == 0.5)
        _ = try read.attach(to: other.slots)
        #expect(try other.logits(batch).isClose(to: trained, absolute: 1e-6))
    }

    /// One step of gradient descent on the mean of the outputs.
    private func step(_ set: AdapterSet, _ bert: Bert, _ batch: TokenBatch) throws {
        for (_, value) in set.parameters { try value.requireGradient() }
        try bert.logits(batch).sum().backward()
        try withoutGradient {
            for (_, value) in set.parameters {
                let gradient = try #require(try value.gradient())
                try value.add(gradient, times: -0.1)
            }
        }
    }

    @Test("Its options have help, defaults and refusals like any other's")
    func options() throws {
        #expect(
            RowScaling.options == [
                MethodOption("row-scale", "s. Default 2."),
                MethodOption("row-start", "How l starts: zero or one. Default zero."),
            ])
        #expect(
            message { _ = try RowScaling(["row-scale": "101"]) }
                == "`row-scale` for row-scaling: 101.0 is more than 100")
        #expect(
            message { _ = try RowScaling(["row-start": "two"]) }
                == "`row-start` for row-scaling: 'two' is none of zero, one")
    }

    @Test("Its files are written and read by its rows, and refused by its format")
    func files() throws {
        let fields = RowScaling().fields(of: [], seed: 0)
        #expect(fields.keys.sorted() == ["row_scale", "scales_rows", "start"])
        func file(_ fields: [String: Any]) -> ConfigurationFile {
            ConfigurationFile(URL(fileURLWithPath: "adapter_config.json"), fields: fields)
        }
        let missing = try RowScaling(file([:]))
        #expect((missing.scale, missing.start) == (2, .one))
        let text = message { _ = try RowScaling(file(["scales_columns": true])) }
        #expect(text.hasSuffix("'scales_columns' is set, which is not supported"))
    }

    @Test("A name and files that are another method's are refused")
    func clashes() {
        #expect(throws: AdapterError.methodTaken(name: "lora")) {
            try MethodRegistry.register(SecondLoRA.self)
        }
        #expect(throws: AdapterError.peftTypeTaken(name: "LORA", method: "lora")) {
            try MethodRegistry.register(LoRAInDisguise.self)
        }
    }
}
