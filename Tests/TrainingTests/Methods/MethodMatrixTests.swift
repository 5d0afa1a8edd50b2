import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters
@testable import DualTraining

/// Every method on every architecture.
@Suite struct MethodMatrixTests {
    private static let adapterCases = (try? MethodCase.adapters) ?? []
    private static let mergingCases = adapterCases.filter {
        (try? MethodRegistry.method(named: $0.method).facts.merges) ?? false
    }

    /// A model that a method is set up on, at the first step of a run.
    private func trainee(
        _ row: MethodCase, _ model: any TransformerModel, seed: UInt64 = 3
    ) throws -> Trainee {
        let trainee = try Trainee(
            model, method: row.make(), targets: nil, using: Generator(seed: seed))
        let batch = try TokenBatch.seeded(lengths: [7], vocabulary: 40, seed: 5)
        try trainee.adapter?.calibrate(examples: 1) { _ in _ = try model.logits(batch) }
        trainee.adapter?.prepare(TrainingProgress(step: 0, totalSteps: 10, warmupSteps: 5))
        return trainee
    }

    /// An adapter that has long left its start.
    private func moved(_ row: MethodCase, _ model: any TransformerModel) throws -> AdapterSet {
        let trainee = try trainee(row, model)
        let set = try #require(trainee.adapter)
        set.prepare(TrainingProgress(step: 10, totalSteps: 10, warmupSteps: 5))
        try withoutGradient {
            for (index, trainable) in trainee.trainables.enumerated() {
                let noise = try Tensor.seeded(
                    trainable.tensor.shape, seed: 70 + UInt64(index), deviation: 0.1)
                try trainable.tensor.add(noise)
            }
        }
        return set
    }

    private func outputs(_ model: any TransformerModel, _ batch: TokenBatch) throws -> Tensor {
        try withoutGradient { try model.logits(batch) }
    }

    @Test(
        "The model says what it said before the first step, where the method begins there",
        arguments: adapterCases, TinyModel.all)
    func start(_ row: MethodCase, _ tiny: TinyModel) throws {
        let (model, batch) = (try tiny.make(), try tiny.batch())
        let base = try outputs(model, batch)
        let set = try #require(try trainee(row, model).adapter)
        let distance = try outputs(model, batch).largestDifference(to: base)
        #expect(row.startTolerance.map { distance <= $0 } ?? (distance > 1e-4), "\(distance)")
        set.remove()
        #expect(try outputs(model, batch).isIdentical(to: base))
    }

    @Test(
        "Merged weights say what the adapted model says, and unmerged ones what the base does",
        arguments: mergingCases, TinyModel.all)
    func merging(_ row: MethodCase, _ tiny: TinyModel) throws {
        let (model, batch) = (try tiny.make(), try tiny.batch())
        let base = try outputs(model, batch)
        let set = try moved(row, model)
        let adapted = try outputs(model, batch)
        #expect(try adapted.largestDifference(to: base) > 1e-3)
        try set.merge()
        #expect(model.linears.allSatisfy { $0.adapter == nil })
        let largest = try adapted.magnitude().maximum().item()
        #expect(try outputs(model, batch).isClose(to: adapted, absolute: 1e-4 * max(1, largest)))
    }

    @Test("A method that does not merge says so", arguments: adapterCases, TinyModel.all.prefix(1))
    func refusesMerging(_ row: MethodCase, _ tiny: TinyModel) throws {
        let merges = try MethodRegistry.method(named: row.method).facts.merges
        let set = try moved(row, tiny.make())
        let text = message { try set.merge() }
        #expect(merges ? text == "no error" : text.hasPrefix("\(row.method) cannot be merged"))
    }

    @Test(
        "A saved adapter says on another copy of the model what it said, and saves again the same",
        arguments: adapterCases, TinyModel.all)
    func saving(_ row: MethodCase, _ tiny: TinyModel) throws {
        let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
        let (model, batch) = (try tiny.make(), try tiny.batch())
        let set = try moved(row, model)
        let adapted = try outputs(model, batch)
        try AdapterFolder.write(set, baseModel: "base", to: first.url)
        let other = try tiny.make()
        let loaded = try AdapterFolder(first.url).attach(to: other.slots)
        #expect(try outputs(other, batch).isClose(to: adapted, absolute: 1e-5))
        try AdapterFolder.write(loaded, baseModel: "base", to: second.url)
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(try second.read(name) == first.read(name), "\(name)")
        }
    }

    @Test("As many numbers train as the formula says", arguments: adapterCases, TinyModel.all)
    func count(_ row: MethodCase, _ tiny: TinyModel) throws {
        let model = try tiny.make()
        let trainee = try trainee(row, model)
        let layers = try TargetSelection.standard.layers(of: model.slots)
        let sum = layers.reduce(0) {
            $0
                + trainee.method.parameterCount(
                    outputSize: $1.outputSize, inputSize: $1.inputSize)
        }
        #expect(trainee.adapter?.parameterCount == row.count?(model.slots, layers) ?? sum)
    }

    @Test(
        "Ten steps lower the loss and move nothing that is frozen", arguments: MethodCase.all,
        TinyModel.all)
    func training(_ row: MethodCase, _ tiny: TinyModel) throws {
        let (model, examples) = (try tiny.make(), try tiny.examples())
        let trainee = try trainee(row, model)
        let trained = Set(trainee.trainables.map { ObjectIdentifier($0.tensor) })
        let frozen = try model.parameters.filter {
            try !trained.contains(ObjectIdentifier($0.value))
        }
        let before = try frozen.map { try $0.value.cloned() }
        var options = TrainingOptions()
        (options.steps, options.batchSize, options.loggingSteps) = (10, 8, 1)
        (options.learningRate, options.headLearningRate) = (row.learningRate, 1e-9)
        options.weightDecay = 0
        let trainer = try Trainer(
            trainee, on: examples, scorer: nil, options: options, using: Generator(seed: 1))
        let all = Array(examples.lengths.indices)
        func loss() throws -> Double {
            try withoutGradient { try examples.loss(of: model, on: all, mode: .inference).item() }
        }
        let start = try loss()
        try trainer.run { _ in }
        #expect(try loss() < start)
        for (parameter, before) in zip(frozen, before) {
            #expect(try parameter.value.isIdentical(to: before), "\(parameter.name)")
        }
    }

    @Test("Every method of the registry has a row")
    func everyMethodHasARow() {
        #expect(
            Set(MethodCase.all.map(\.method)) == Set(MethodRegistry.builtIn.map { $0.facts.name }))
    }
}
