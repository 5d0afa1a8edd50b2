import DualAdapters
import DualDatasets
import DualModels
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// What happens to a run whose last score fails, is stopped, or could not be taken.
@Suite struct RunEndTests {
    struct Failure: Error {}

    /// How a score at a run's end goes.
    private enum Course {
        case refusedBefore, failing, well
    }

    /// The toy task, with scores that are taken at a run's end.
    private struct LateTask: TrainingTask {
        let course: Course
        private let base = SentenceTraining(ToyTask.self)

        var name: String { base.name }
        var title: String { base.title }
        var primaryMetric: String { base.primaryMetric }
        var labelCount: Int? { base.labelCount }
        var adapterTask: AdapterFolder.TaskType { base.adapterTask }
        var headMeaning: ModelFolder.HeadMeaning? { base.headMeaning }
        var defaults: (batchSize: Int, maximumLength: Int) { base.defaults }
        var identity: [String: String] { base.identity }

        init(_ course: Course) { self.course = course }

        func read(_ data: [URL]) throws -> any TaskData {
            LateData(course: course, base: try base.read(data))
        }

        func readForScoring(_ data: [URL]) throws -> any TaskData { try read(data) }
    }

    private struct LateData: TaskData {
        let course: Course
        let base: any TaskData

        func encode(
            for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
        ) throws -> EncodedTask {
            let encoded = try base.encode(for: loaded, with: encoder, device: device)
            return EncodedTask(
                training: encoded.training, scorer: LateScorer(course: course))
        }
    }

    private struct LateScorer: Scorer {
        let course: Course
        let isCostly = true

        func check(_ model: any TransformerModel) throws {
            if course == .refusedBefore { throw Failure() }
        }

        func loss(
            of model: any TransformerModel, progress: (ScoringProgress) throws -> Void
        ) throws -> Double { 1 }

        func evaluate(
            _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void
        ) throws -> Evaluation {
            if course == .failing { throw Failure() }
            for done in 1...3 {
                try progress(ScoringProgress(stage: .answers, done: done, total: 3))
            }
            return Evaluation(loss: 1, metrics: [("accuracy", 1)], exampleCount: 3)
        }
    }

    @Test(
        "What was trained is saved before the last score, which may fail",
        arguments: [false, true])
    func savedBefore(_ isFull: Bool) throws {
        let place = try Workplace()
        let method: any FineTuningMethod = isFull ? FullFineTuning() : LoRA(rank: 2)
        _ = try place.run(method, to: "whole").run { _ in }
        #expect(throws: Failure.self) {
            try place.run(method, to: "new/out") { $0.task = LateTask(.failing) }
                .run { _ in }
        }
        let name = isFull ? "model.safetensors" : "adapter_model.safetensors"
        #expect(try place.read("new/out/\(name)") == place.read("whole/\(name)"))
        #expect(!place.exists("new/out/result.json"))
    }

    @Test("What cannot be scored is refused before the first step, and leaves no folder")
    func refusedBefore() throws {
        let place = try Workplace()
        var events = 0
        #expect(throws: Failure.self) {
            try place.run(LoRA(rank: 2), to: "new/out") { $0.task = LateTask(.refusedBefore) }
                .run { _ in events += 1 }
        }
        #expect(events == 0)
        #expect(!place.exists("new"))
    }

    @Test("Who stops the last score keeps what was trained")
    func stopped() throws {
        let place = try Workplace()
        var told: [Int] = []
        #expect(throws: TrainingError.interruptedScore) {
            try place.run(LoRA(rank: 2), to: "out") { $0.task = LateTask(.well) }
                .run(shouldStop: { told.last == 2 }) {
                    if case .training(.scoring(let progress)) = $0 { told.append(progress.done) }
                }
        }
        #expect(told == [1, 2])
        #expect(place.exists("out/adapter_model.safetensors"))
        #expect(!place.exists("out/result.json"))
    }

    @Test("Prompts need positions for themselves and for all but the last token behind them")
    func room() throws {
        let model = try TinyDecoder.gpt2(dropout: 0).make()
        let positions = try #require(model.maximumLength)
        let prompts = [[1], [Int](repeating: 1, count: positions - 4)]
        try model.checkRoom(for: 5, behind: prompts)
        #expect(throws: TrainingError.noRoom(prompt: positions - 4, new: 6, positions: positions)) {
            try model.checkRoom(for: 6, behind: prompts)
        }
    }

    @Test("A trainer without an example is refused")
    func noExamples() throws {
        let generator = try Generator(seed: 1)
        let trainee = try Trainee(
            Bert.tinyCheckpoint(), method: LoRA(rank: 2), targets: nil, using: generator)
        let text = message {
            _ = try Trainer(
                trainee, on: SentenceSet(ToyTask.self, [], paddingID: 0), scorer: nil,
                options: Workplace.options, using: generator)
        }
        #expect(text == "`data`: it has no examples to train on")
    }
}
