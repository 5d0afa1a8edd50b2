import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters
@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// A scorer whose losses were agreed on before.
private final class AgreedScorer: Scorer {
    let isCostly: Bool
    private var losses: [Double]
    /// What it was asked for, in order.
    private(set) var calls: [String] = []

    init(_ losses: [Double], isCostly: Bool = false) {
        self.losses = losses
        self.isCostly = isCostly
    }

    func evaluate(
        _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void
    ) throws -> Evaluation {
        calls.append("scores")
        let loss = isCostly ? 0 : next()
        return Evaluation(loss: loss, metrics: [("accuracy", 1)], exampleCount: 1)
    }

    func loss(of model: any TransformerModel, progress: (ScoringProgress) throws -> Void) throws
        -> Double
    {
        calls.append("loss")
        return next()
    }

    /// At the end what was agreed on last holds.
    private func next() -> Double { losses.count > 1 ? losses.removeFirst() : losses[0] }
}

/// A store that has the scores before the first step already, and keeps nothing.
private struct ScoredBefore: TrainingStore {
    var newestCheckpoint: String? { nil }

    func record(_ event: TrainingEvent) {}
    func hasEvaluation(afterStep step: Int) -> Bool { step == 0 }
    func writeCheckpoint(_ state: TrainerState) -> String { "nowhere" }
    func save(_ trainee: Trainee) {}
}

/// When a run scores its model, ends, and what it ends with.
@Suite struct TrainerScoresTests {
    private struct Course {
        let trainer: Trainer
        var records: [EvaluationRecord] = []
        /// What trained, as it stood at each record.
        var states: [[String: Tensor]] = []
    }

    /// Twelve steps, four an epoch; the update is faded in over all of them.
    private static func course(
        _ scorer: AgreedScorer, _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> Course {
        let generator = try Generator(seed: 1)
        let method = DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 12)
        let trainee = try Trainee(
            Bert.tinyCheckpoint(), method: method, targets: nil, using: generator)
        var options = Workplace.options
        (options.epochs, options.batchSize) = (3, 4)
        change(&options)
        let examples = try TokenBatch.sequences(lengths: (0..<16).map { 3 + $0 % 6 })
            .enumerated().map {
                EncodedExample(ids: $1.ids, typeIDs: $1.typeIDs, label: .category($0 % 2))
            }
        let trainer = try Trainer(
            trainee, on: SentenceSet(ToyTask.self, examples, paddingID: 0), scorer: scorer,
            options: options, using: generator)
        var course = Course(trainer: trainer)
        try trainer.run(into: ScoredBefore()) { event in
            guard case .evaluated(let record) = event else { return }
            course.records.append(record)
            course.states.append(try trainee.copiedState())
        }
        return course
    }

    private static func areIdentical(_ a: [String: Tensor], _ b: [String: Tensor]) throws -> Bool {
        try a.count == b.count && a.allSatisfy { try b[$0.key]?.isIdentical(to: $0.value) ?? false }
    }

    private static func gates(_ course: Course) -> [Double] {
        (course.trainer.trainee.adapter?.parts ?? []).compactMap {
            ($0.part as? DualLoRALayer)?.gate
        }
    }

    @Test("Scores come after every epoch, or every so many steps and at the end")
    func places() throws {
        #expect(try Self.course(AgreedScorer([1])).records.map(\.step) == [4, 8, 12])
        let often = try Self.course(AgreedScorer([1])) { $0.evaluationSteps = 5 }
        #expect(often.records.map(\.step) == [5, 10, 12])
        let whole = try Self.course(AgreedScorer([1])) { $0.evaluationSteps = 6 }
        #expect(whole.records.map(\.step) == [6, 12])
        #expect(whole.records.allSatisfy { $0.isFinal == nil && $0.metrics["accuracy"] == 1 })
    }

    @Test("The run ends with what had the lowest loss, its gate among it")
    func best() throws {
        let scorer = AgreedScorer([3, 2, .nan, 1, 4, 1, 5])
        let course = try Self.course(scorer) {
            ($0.evaluationSteps, $0.keepsBest) = (2, true)
        }
        #expect(course.records.map(\.step) == [2, 4, 6, 8, 10, 12, 8])
        #expect(course.records.last?.isFinal == true)
        #expect(course.trainer.finalStep == 8)
        let end = try course.trainer.trainee.copiedState()
        #expect(try Self.areIdentical(end, course.states[3]))
        #expect(try !Self.areIdentical(end, course.states[5]))
        #expect(Self.gates(course).allSatisfy { abs($0 - 8.0 / 12) < 1e-12 })
        #expect(!Self.gates(course).isEmpty)
    }

    @Test("Without the option a run ends with its last step")
    func last() throws {
        let course = try Self.course(AgreedScorer([1, 2, 3]))
        #expect(course.records.map(\.step) == [4, 8, 12])
        #expect(course.trainer.best == nil)
        #expect(try Self.areIdentical(course.trainer.trainee.copiedState(), course.states[2]))
        #expect(Self.gates(course).allSatisfy { $0 == 1 })
    }

    @Test("A last step that is the best needs no way back")
    func lastIsBest() throws {
        let course = try Self.course(AgreedScorer([3, 2, 1])) { $0.keepsBest = true }
        #expect(course.records.map(\.step) == [4, 8, 12])
        #expect(course.trainer.finalStep == 12)
    }

    @Test("Patience ends a run after so many scores that are not lower", arguments: [1, 2])
    func patience(_ patience: Int) throws {
        let losses = [3, 2, 2, 1, 1, .nan]
        let course = try Self.course(AgreedScorer(losses)) {
            ($0.evaluationSteps, $0.patience) = (2, patience)
        }
        #expect(course.records.map(\.step) == (patience == 1 ? [2, 4, 6] : [2, 4, 6, 8, 10, 12]))
        let kept = try Self.course(AgreedScorer(losses)) {
            ($0.evaluationSteps, $0.patience, $0.keepsBest) = (2, patience, true)
        }
        #expect(kept.trainer.finalStep == (patience == 1 ? 4 : 8))
    }

    @Test("A costly scorer gives its loss on the way and its scores once, at the end")
    func costly() throws {
        for keepsBest in [false, true] {
            let scorer = AgreedScorer([2, 1, 3], isCostly: true)
            let course = try Self.course(scorer) { $0.keepsBest = keepsBest }
            #expect(scorer.calls == ["loss", "loss", "loss", "scores"])
            #expect(course.records.map(\.step) == [4, 8, 12, keepsBest ? 8 : 12])
            #expect(course.records.map { $0.metrics.isEmpty } == [true, true, true, false])
            #expect(course.records.map(\.isFinal) == [nil, nil, nil, true])
        }
    }

    @Test("A scorer that says nothing of its cost gives the loss of its scores")
    func standardLoss() throws {
        struct Plain: Scorer {
            func evaluate(
                _ model: any TransformerModel, progress: (ScoringProgress) throws -> Void
            ) throws -> Evaluation {
                Evaluation(loss: 0.75, metrics: [], exampleCount: 1)
            }
        }
        #expect(!Plain().isCostly)
        #expect(try Plain().loss(of: Bert.tiny()) == 0.75)
    }
}
