import DualAdapters
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// Checkpoints that are not as they were written.
@Suite struct CheckpointFaultTests {
    private let place: Workplace
    private static let newest = "out/checkpoints/step-00000007"

    /// A run that was stopped after seven steps, with checkpoints of the sixth and the seventh.
    init() throws {
        place = try Workplace()
        let stop = StopAfter(7)
        #expect(throws: TrainingError.self) {
            try run().run(shouldStop: { stop() }) { stop.hear($0) }
        }
        _ = try run(to: "whole").run { _ in }
    }

    private func run(
        to output: String = "out", _ change: (inout FineTuningRun) -> Void = { _ in }
    ) -> FineTuningRun {
        place.run(LoRA(rank: 2), to: output) {
            $0.options.checkpointSteps = 3
            $0.options.keepsBest = true
            $0.options.evaluationSteps = 2
            change(&$0)
        }
    }

    /// The notes of the run that goes on.
    private func resume() throws -> [String] {
        var notes: [String] = []
        _ = try run { $0.resume = true }.run { if case .note(let text) = $0 { notes.append(text) } }
        return notes
    }

    private func change(_ name: String, _ change: (inout Data) -> Void) throws {
        var data = try place.read("\(Self.newest)/\(name)")
        change(&data)
        try place.folder.write(data, to: "\(Self.newest)/\(name)")
    }

    private static let names = ["state.json", "state.safetensors", "best.safetensors"]

    private func expectFallback(_ word: String) throws {
        let notes = try resume()
        let note = try #require(notes.first { $0.contains("step-00000007") })
        #expect(note.contains(word), "in: \(note)")
        #expect(note.hasSuffix("goes on from the checkpoint before it, step-00000006"))
        let name = "adapter_model.safetensors"
        #expect(try place.read("out/\(name)") == place.read("whole/\(name)"))
    }

    @Test("A file that is missing makes way for the checkpoint before", arguments: names)
    func missing(_ name: String) throws {
        try FileManager.default.removeItem(at: place.folder.file("\(Self.newest)/\(name)"))
        try expectFallback(name)
    }

    @Test("So does one that is empty", arguments: names)
    func empty(_ name: String) throws {
        try change(name) { $0 = Data() }
        try expectFallback(name)
    }

    @Test("So does one that is cut", arguments: names)
    func cut(_ name: String) throws {
        try change(name) { $0 = $0.dropLast(9) }
        try expectFallback(name)
    }

    @Test("So does one in which a single bit is another", arguments: names)
    func flipped(_ name: String) throws {
        try change(name) { $0[$0.count - 90] ^= 4 }
        try expectFallback(name)
    }

    @Test("So does one that holds what another step's holds")
    func renamed() throws {
        let manager = FileManager.default
        try manager.removeItem(at: place.folder.file(Self.newest))
        try manager.copyItem(
            at: place.folder.file("out/checkpoints/step-00000006"),
            to: place.folder.file(Self.newest))
        try expectFallback("state.json is of step 6")
    }

    @Test("What is no checkpoint is passed over, with a note")
    func stray() throws {
        for name in ["step-backup", "step-00000009.old", "notes.txt"] {
            try place.folder.write("x", to: "out/checkpoints/\(name)/x")
        }
        let notes = try resume()
        for name in ["step-backup", "step-00000009.old", "notes.txt"] {
            #expect(notes.contains { $0.hasSuffix("\(name) is no checkpoint and is passed over") })
        }
    }

    @Test("Where none is whole, one error says what is wrong with each")
    func none() throws {
        try change("state.json") { $0 = Data() }
        try FileManager.default.removeItem(
            at: place.folder.file("out/checkpoints/step-00000006/state.safetensors"))
        let text = message { _ = try resume() }
        #expect(text.contains("no checkpoint is whole: "), "in: \(text)")
        #expect(text.contains("step-00000007") && text.contains("step-00000006"))
        #expect(place.exists(Self.newest))
    }

    @Test("A whole checkpoint of another run is refused, not passed over")
    func otherRun() throws {
        let text = message {
            _ = try run {
                ($0.resume, $0.options.seed) = (true, 5)
            }.run { _ in }
        }
        #expect(text.contains("step-00000007 is of a run with `seed`"), "in: \(text)")
    }

    @Test("Checkpoints of a course that a run went back from go when it has written its own")
    func laterOnes() throws {
        try change("state.json") { $0 = Data() }
        let stop = StopAfter(2)
        #expect(throws: TrainingError.self) {
            try run {
                ($0.resume, $0.options.checkpointSteps) = (true, 1)
            }.run(shouldStop: { stop() }) { stop.hear($0) }
        }
        let left = CheckpointFolder(place.output("out/checkpoints")).all.map(\.lastPathComponent)
        #expect(left == ["step-00000007", "step-00000008"])
        _ = try resume()
    }

    @Test("A checkpoint that has no digests, as earlier versions wrote it, is gone on from")
    func withoutDigests() throws {
        let name = "\(Self.newest)/state.json"
        var fields = try #require(
            try JSONSerialization.jsonObject(with: place.read(name)) as? [String: Any])
        (fields["digest"], fields["digests"]) = (nil, nil)
        try place.folder.write(JSONSerialization.data(withJSONObject: fields), to: name)
        #expect(try resume().isEmpty)
    }
}
