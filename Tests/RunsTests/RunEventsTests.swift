import Foundation
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTraining

/// A run as a sequence of events.
@Suite struct RunEventsTests {
    @Test("The sequence has the events of the run, and its result at the end")
    func whole() async throws {
        let place = try Workplace()
        var steps: [Int] = []
        var result: RunResult?
        for try await event in place.run(to: "out").events() {
            switch event {
            case .running(.training(.step(let record))): steps.append(record.step)
            case .running: break
            case .finished(let made): result = made
            }
        }
        #expect(steps == Array(1...10))
        let written = try JSONDecoder().decode(RunResult.self, from: place.read("out/result.json"))
        #expect(result == written)
    }

    @Test("Cancelling the task stops the run after its step, with a checkpoint to go on from")
    func cancelled() async throws {
        let place = try Workplace()
        let run = place.run(to: "out") { $0.options.epochs = 1000 }
        let task = Task {
            for try await event in run.events() {
                if case .running(.training(.step(let record))) = event, record.step == 3 {
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
        }
        do {
            try await task.value
            Issue.record("the run went on to its end")
        } catch TrainingError.interrupted(let step, let checkpoint) {
            #expect(step >= 3 && step < 5000)
            let path = try #require(checkpoint)
            #expect(FileManager.default.fileExists(atPath: path + "/state.safetensors"))
        }
    }

    @Test("An error of the run is the sequence's")
    func failing() async throws {
        let place = try Workplace()
        let run = place.run(to: "out") { $0.options.epochs = 0 }
        await #expect(throws: TrainingError.self) {
            for try await _ in run.events() {}
        }
        #expect(!place.exists("out"))
    }
}
