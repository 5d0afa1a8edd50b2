import DualAdapters
import DualModels
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// What is left of a training whose last write fails.
@Suite struct FullDiskTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    /// A folder in the place of a file that is to be written makes the write fail.
    private func block(_ name: String) throws {
        try place.folder.write("x", to: "out/\(name)/x")
    }

    private func train(
        _ change: (inout FineTuningRun) -> Void = { _ in },
        report: (FineTuningRun.Event) throws -> Void = { _ in }
    ) throws {
        _ = try place.run(LoRA(rank: 2), to: "out", change).run(report: report)
    }

    /// Blocks a file when the last step is done.
    private func blocking(_ name: String) -> (FineTuningRun.Event) throws -> Void {
        { event in
            guard case .training(.step(let record)) = event, record.step == 10 else { return }
            try block(name)
        }
    }

    @Test(
        "What could not be saved is kept as a checkpoint, from which the run ends as it should",
        arguments: ["adapter_model.safetensors", "adapter_config.json"])
    func lastWrite(_ name: String) throws {
        _ = try place.run(LoRA(rank: 2), to: "whole").run { _ in }
        let error = #expect(throws: TrainingError.self) { try train(report: blocking(name)) }
        let text = "\(try #require(error))"
        #expect(text.contains("\(name) cannot be written: "), "in: \(text)")
        #expect(text.contains("what was trained is kept: `resume` goes on from "), "in: \(text)")
        #expect(text.hasSuffix("out/checkpoints/step-00000010"), "in: \(text)")
        try FileManager.default.removeItem(at: place.folder.file("out/\(name)"))
        try train { $0.resume = true }
        for name in ["adapter_model.safetensors", "adapter_config.json"] {
            #expect(try place.read("out/\(name)") == place.read("whole/\(name)"))
        }
        #expect(place.exists("out/result.json") && !place.exists("out/checkpoints"))
    }

    @Test("Where the run's folder has no room either, it is kept among the temporary files")
    func elsewhere() throws {
        let error = #expect(throws: TrainingError.self) {
            try train(report: { event in
                guard case .training(.step(let record)) = event, record.step == 10 else { return }
                try block("adapter_config.json")
                try FileManager.default.removeItem(at: place.folder.file("out/checkpoints"))
                try place.folder.write("a file", to: "out/checkpoints")
            })
        }
        guard case .unsaved(_, let kept?, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let words = kept.components(separatedBy: ", once it is moved into ")
        #expect(words[1] == place.folder.file("out/checkpoints").path)
        let manager = FileManager.default
        try manager.removeItem(at: place.folder.file("out/checkpoints"))
        try manager.createDirectory(
            at: place.folder.file("out/checkpoints"), withIntermediateDirectories: true)
        try manager.moveItem(
            atPath: words[0], toPath: words[1] + "/step-00000010")
        try manager.removeItem(at: place.folder.file("out/adapter_config.json"))
        try train { $0.resume = true }
        #expect(place.exists("out/result.json"))
        let parent = URL(fileURLWithPath: words[0]).deletingLastPathComponent()
        try manager.removeItem(at: parent.deletingLastPathComponent())
    }

    @Test("What was trained is saved though its result cannot be written")
    func result() throws {
        let text = message { try train(report: blocking("loss.svg")) }
        #expect(text.contains("loss.svg cannot be written: "), "in: \(text)")
        #expect(text.contains("; what was trained is saved in "), "in: \(text)")
        #expect(place.exists("out/adapter_model.safetensors"))
    }

    @Test("A run that replaces another and cannot be saved leaves that as it was")
    func replacing() throws {
        try train()
        let before = try place.read("out/adapter_model.safetensors")
        let text = message {
            try train(
                { ($0.overwrite, $0.options.seed) = (true, 8) },
                report: { event in
                    guard case .training(.step(let record)) = event, record.step == 10 else {
                        return
                    }
                    try block("new-run/adapter_config.json")
                })
        }
        #expect(text.contains("new-run/checkpoints/step-00000010"), "in: \(text)")
        #expect(try place.read("out/adapter_model.safetensors") == before)
        #expect(place.exists("out/result.json"))
    }

    @Test("A checkpoint that cannot be written is told, and the training goes on")
    func checkpoint() throws {
        var reasons: [String] = []
        try train(report: { event in
            switch event {
            case .started: try place.folder.write("a file", to: "out/checkpoints")
            case .training(.checkpointFailed(let reason)): reasons.append(reason)
            default: break
            }
        })
        #expect(reasons.count == 1 && reasons[0].contains("out/checkpoints/"), "\(reasons)")
        #expect(place.exists("out/result.json"))
    }

    @Test("Lines that the log has no room for wait for the next, and nothing of them is lost")
    func log() async {
        // What a file may be large limits the whole process.
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let log = try RunLog(folder.file("train.jsonl"))
            let add = { (step: Int) in
                log.add(
                    StepRecord(
                        step: step, epoch: 0, loss: 1, learningRate: 1, gradientNorm: 1, tokens: 1,
                        seconds: 1))
            }
            add(1)
            signal(SIGXFSZ, SIG_IGN)
            try Self.limitFiles(to: 200)
            for step in 2...4 { add(step) }
            #expect(message { try log.finish() }.contains("train.jsonl cannot be written"))
            #expect(log.takeNotes().count == 1)
            try Self.limitFiles(to: 100_000)
            add(5)
            try log.finish()
            #expect(try RunLog.read(folder.file("train.jsonl")).steps.map(\.step) == Array(1...5))
        }
    }

    private static func limitFiles(to size: UInt) throws {
        var limit = rlimit()
        #if canImport(Glibc)
            let kind = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #else
            let kind = RLIMIT_FSIZE
        #endif
        try #require(getrlimit(kind, &limit) == 0)
        limit.rlim_cur = rlim_t(size)
        try #require(setrlimit(kind, &limit) == 0)
    }
}
