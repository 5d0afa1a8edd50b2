import DualAdapters
import DualDatasets
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualTasks
@testable import DualTraining

@Suite struct TrainerTests {
    private static func examples(_ count: Int) throws -> [EncodedExample] {
        try TokenBatch.sequences(lengths: (0..<count).map { 3 + $0 % 6 }).enumerated().map {
            EncodedExample(ids: $1.ids, typeIDs: $1.typeIDs, label: .category($0 % 2))
        }
    }

    private static func trainer(
        _ method: any FineTuningMethod, dropout: Double = 0, examples: Int = 16,
        _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let generator = try Generator(seed: 1)
        // From a folder: weights that were drawn here would all train.
        let folder = try TemporaryFolder()
        try Bert.tiny(dropout: dropout).write(to: folder.url)
        var loading = ModelFolder.LoadOptions()
        loading.computeType = .float32
        let model = try ModelFolder(folder.url).load(loading).model
        let trainee = try Trainee(model, method: method, targets: nil, using: generator)
        var options = Workplace.options
        change(&options)
        return try Trainer(
            trainee, on: SentenceSet(ToyTask.self, Self.examples(examples), paddingID: 0),
            scorer: nil, options: options, using: generator)
    }

    static let methods: [any FineTuningMethod] = [
        LoRA(rank: 4), DualLoRA(magnitudeRank: 2, directionRank: 3, gateSteps: 0),
    ]

    /// The gradients of the first step: a tenth of the optimizer's first moments after it.
    private func firstGradients(_ trainer: Trainer) throws -> [String: Tensor] {
        try trainer.run { _ in }
        return try trainer.state.tensors.filter { $0.key.hasSuffix(".exp_avg") }
    }

    @Test(
        "Four micro-batches of four give the gradient of one batch of sixteen", arguments: [0, 1])
    func accumulation(_ method: Int) throws {
        let found = try [(16, 1), (4, 4), (8, 2), (5, 4)].map { batchSize, accumulation in
            try firstGradients(
                Self.trainer(Self.methods[method]) {
                    ($0.batchSize, $0.accumulation, $0.steps) = (batchSize, accumulation, 1)
                    $0.gradientLimit = nil
                })
        }
        var norms = 0.0
        for (name, expected) in found[0] {
            norms += try expected.norm().item()
            for other in found.dropFirst() {
                #expect(try #require(other[name]).isClose(to: expected, absolute: 1e-6), "\(name)")
            }
        }
        #expect(norms > 0.01)
    }

    @Test("A training step leaks no tensor")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let methods: [any FineTuningMethod] = [
                LoRA(rank: 2, dropout: 0.1),
                DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 2),
                DualLoRA(magnitudeRank: 2, directionRank: 2, dropout: 0.1), FullFineTuning(),
            ]
            for method in methods {
                let trainer = try Self.trainer(method, dropout: 0.1) { $0.epochs = 10 }
                var live: [Int] = []
                try trainer.run { event in
                    if case .step = event { live.append(TorchRuntime.liveTensors) }
                }
                #expect(live.count == 20)
                #expect(Set(live.dropFirst()).count == 1, "\(live)")
            }
        }
    }

    @Test("Only what should train does", arguments: [0, 1])
    func frozen(_ method: Int) throws {
        let trainer = try Self.trainer(Self.methods[method]) { $0.epochs = 4 }
        let trainee = trainer.trainee
        let trained = Set(trainee.trainables.map { ObjectIdentifier($0.tensor) })
        let frozen = try trainee.model.parameters.filter {
            try !trained.contains(ObjectIdentifier($0.value))
        }
        let before = try frozen.map { try $0.value.cloned() }
        let start = try trainee.trainables.map { try $0.tensor.detached().cloned() }
        try trainer.run { _ in }
        for (parameter, before) in zip(frozen, before) {
            #expect(try parameter.value.isIdentical(to: before), "\(parameter.name)")
        }
        for (trainable, before) in zip(trainee.trainables, start) {
            #expect(try 0 < trainable.tensor.largestDifference(to: before), "\(trainable.name)")
        }
        #expect(frozen.count + 2 == trainee.model.parameters.count)
        #expect(trainee.methodCount == trainee.adapter?.parameterCount)
        #expect(trainee.trainableCount == trainee.methodCount + 2 * 12 + 2)
    }

    @Test("Biases and norms do not decay, and the head has a rate of its own")
    func groups() throws {
        let trainee = try Trainee(
            Bert.tiny(), method: FullFineTuning(), targets: nil, using: Generator(seed: 1))
        var options = Workplace.options
        (options.learningRate, options.headLearningRate, options.weightDecay) = (1, 2, 3)
        let groups = trainee.optimizerGroups(options)
        #expect(groups.flatMap(\.names).count == trainee.trainables.count)
        for group in groups {
            let isHead = group.names.allSatisfy { $0.hasPrefix("classifier.") }
            #expect(group.learningRate == (isHead ? 2 : 1))
            #expect(group.weightDecay == (group.tensors.allSatisfy { $0.rank > 1 } ? 3 : 0))
        }
    }

    @Test(
        "Vectors of an adapter decay unless they are biases or norms, in runs that began so",
        arguments: [
            (DoRA(), ["lora_magnitude_vector"]),
            (VeRA(rank: 2), ["vera_lambda_b", "vera_lambda_d"]), (AdapterL(), []), (LoReFT(), []),
            (LoRA(), []),
        ] as [(any FineTuningMethod, [String])])
    func decayingVectors(method: any FineTuningMethod, expected: [String]) throws {
        let trainee = try Self.trainer(method).trainee
        func decaying() -> Set<String> {
            let groups = trainee.optimizerGroups(Workplace.options).filter { $0.weightDecay > 0 }
            let vectors = groups.flatMap { zip($0.names, $0.tensors) }.filter { $1.rank < 2 }
            return Set(vectors.compactMap { $0.0.split(separator: ".").last.map(String.init) })
        }
        #expect(decaying() == Set(expected))
        #expect(trainee.hasDecayingVectors == !expected.isEmpty)
        trainee.decaysVectors = false
        #expect(decaying().isEmpty)
    }

    @Test("Full fine-tuning refuses targets")
    func targets() throws {
        #expect(throws: TrainingError.self) {
            try Trainee(
                Bert.tiny(), method: FullFineTuning(), targets: .allLinear,
                using: Generator(seed: 1))
        }
    }

    @Test("A loss that is no number stops the run at its step, before any weight moves")
    func notFinite() throws {
        let trainer = try Self.trainer(LoRA(rank: 2))
        let bias = try #require(trainer.trainee.model.head?.bias)
        try withoutGradient { _ = try bias.value.copy(from: Tensor([Double.nan, 0])) }
        let before = try #require(trainer.trainee.adapter).parameters.map {
            try? $0.value.detached().cloned()
        }
        let error = #expect(throws: TrainingError.self) { try trainer.run { _ in } }
        guard case .notFinite(step: 1, _, checkpoint: nil)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(
            "\(error.map(String.init(describing:)) ?? "")".contains("not a finite number at step 1")
        )
        for (parameter, before) in zip(try #require(trainer.trainee.adapter).parameters, before) {
            #expect(try parameter.value.isIdentical(to: #require(before)))
        }
    }

    @Test("An adapter that the loss does not reach is reported by name")
    func unreached() throws {
        let generator = try Generator(seed: 1)
        let bert = try Bert.tinyCheckpoint()
        let trainee = try Trainee(bert, method: LoRA(rank: 2), targets: nil, using: generator)
        // Someone takes an adapter off behind the trainer's back.
        bert.linears[0].adapter = nil
        let detached = try LoRA(rank: 2).makeAdapter(for: bert.linears[0], using: generator)
        bert.linears[0].adapter = detached
        let trainer = try Trainer(
            trainee, on: SentenceSet(ToyTask.self, Self.examples(16), paddingID: 0), scorer: nil,
            options: Workplace.options, using: generator)
        let text = message { try trainer.run { _ in } }
        #expect(text.contains("query.lora_A.weight' received no gradient"), "in: \(text)")
    }

    @Test("A regression learns from numbers, and predicts numbers")
    func regression() throws {
        let objective = Objective(ToyScoreTask.self)
        let logits = try Tensor([Float(1), 3], [2, 1])
        #expect(objective.labelCount == 1)
        #expect(try objective.loss(logits, [.score(2), .score(5)]).item() == 2.5)
        #expect(try objective.predictions(logits) == [.score(1), .score(3)])
        let classes = Objective(ToyTask.self)
        let even = try Tensor([Float(0), 0, 0, 0], [2, 2])
        #expect(abs(try classes.loss(even, [.category(0), .category(1)]).item() - 0.693147) < 1e-5)
        #expect(
            try classes.predictions(Tensor([Float(1), 2, 4, 3], [2, 2])) == [
                .category(1), .category(0),
            ])
    }
}
