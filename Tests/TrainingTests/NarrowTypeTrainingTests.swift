import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters
@testable import DualTraining

/// Runs at rates so low that a weight of bfloat16 cannot show what they change.
@Suite struct NarrowTypeTrainingTests {
    /// A method at its rate, of which the whole run changes weights by less than 1 %.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: any FineTuningMethod
    }

    static let rows = [
        Row(testDescription: "hira", method: HiRA(rank: 8)),
        Row(testDescription: "hira with dropout", method: HiRA(rank: 8, dropout: 0.05)),
        Row(
            testDescription: "dual-lora of a small start",
            method: DualLoRA(initialDeviation: 0.01, gateSteps: 0)),
        Row(testDescription: "dora", method: DoRA(LoRA(rank: 8))),
        Row(testDescription: "lora", method: LoRA(rank: 8)),
    ]

    private func model(_ dtype: DType, trains: Bool) throws -> any TransformerModel {
        let folder = try TemporaryFolder()
        try TinyDecoder.all[0].write(to: folder.url)
        var loading = ModelFolder.LoadOptions()
        loading.computeType = dtype
        loading.weights = trains ? .float32 : .computeType
        let model = try ModelFolder(folder.url).load(loading).model
        for parameter in model.parameters {
            // A checkpoint of bfloat16.
            parameter.stored = .plain(
                try parameter.value.to(.bfloat16).to(parameter.stored.numberType))
        }
        return model
    }

    /// Trains 24 steps on the same examples.
    /// - Parameter shown: the type in which the loss is computed before and after.
    /// - Returns: how much the loss falls.
    private func fall(
        _ method: any FineTuningMethod, _ dtype: DType, rate: Double, shown: DType? = nil
    ) throws -> Double {
        let trains = !(method is any AdapterMethod)
        let model = try model(dtype, trains: trains)
        let sequences = try (0..<32).map { try seededIntegers(32, in: 0..<40, seed: UInt64($0)) }
        let examples = CompletionSet(
            sequences, rowLength: 32, layout: SequenceLayout(isPacked: false, paddingID: 0))
        let trainee = try Trainee(model, method: method, targets: nil, using: Generator(seed: 3))
        var options = TrainingOptions()
        (options.steps, options.batchSize, options.learningRate) = (24, 32, rate)
        (options.warmupSteps, options.schedule) = (0, .constant)
        let trainer = try Trainer(
            trainee, on: examples, scorer: nil, options: options, using: Generator(seed: 1))
        func loss() throws -> Double {
            let shownModel = try shown.map { try self.model($0, trains: trains) } ?? model
            if trains {
                for (shown, own) in zip(shownModel.parameters, model.parameters) {
                    shown.stored = own.stored
                }
            } else if shown != nil {
                // The adapter that was trained, in a model of the other type.
                let other = try Trainee(
                    shownModel, method: method, targets: nil, using: Generator(seed: 3))
                for (shown, own) in zip(other.trainables, trainee.trainables) {
                    try withoutGradient { _ = try shown.tensor.copy(from: own.tensor) }
                }
            }
            return try withoutGradient {
                try examples.loss(of: shownModel, on: Array(0..<32), mode: .inference).item()
            }
        }
        let start = try loss()
        try trainer.run { _ in }
        return try start - loss()
    }

    @Test("A run in bfloat16 lowers the loss as one in float32 does", arguments: rows)
    func lossFalls(_ row: Row) throws {
        // What a loss is rounded to in bfloat16 is more than some of these runs change.
        let narrow = try fall(row.method, .bfloat16, rate: 1e-4, shown: .float32)
        let wide = try fall(row.method, .float32, rate: 1e-4)
        print("24 steps, \(row.testDescription): bfloat16 \(narrow), float32 \(wide)")
        #expect(wide > 0)
        #expect(0.9...1.1 ~= narrow / wide, "\(narrow), \(wide)")
    }

    @Test(
        "Weights that train keep in float32 what a forward in bfloat16 does not show yet",
        arguments: [FullFineTuning(), GaLore(rank: 4, gap: 4)] as [any FineTuningMethod])
    func masterWeights(_ method: any FineTuningMethod) throws {
        let kept = try fall(method, .bfloat16, rate: 1e-5, shown: .float32)
        let wide = try fall(method, .float32, rate: 1e-5)
        let shown = try fall(method, .bfloat16, rate: 1e-5)
        print("24 steps, \(type(of: method)): kept \(kept), float32 \(wide), shown \(shown)")
        #expect(wide > 0)
        #expect(0.9...1.1 ~= kept / wide, "\(kept), \(wide)")
    }

    @Test(
        "What trains beside a model of bfloat16 is float32, and so is all that Adam keeps",
        arguments: (try? MethodCase.adapters) ?? [])
    func types(_ row: MethodCase) throws {
        let model = try TinyModel.all[0].make(computeType: .bfloat16)
        #expect(model.linears.allSatisfy { $0.weight.stored.numberType == .bfloat16 })
        let trainee = try Trainee(
            model, method: row.make(), targets: nil, modulesToSave: ["embed_tokens"],
            using: Generator(seed: 3))
        #expect(trainee.trainables.allSatisfy { $0.tensor.dtype == .float32 })
        let optimizers = try trainee.makeOptimizers(TrainingOptions())
        #expect(optimizers.allSatisfy { $0.state.values.allSatisfy { $0.dtype == .float32 } })
    }
}
