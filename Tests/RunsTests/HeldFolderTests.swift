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

/// What a run does with a folder that holds another, or in which another is at work.
@Suite struct HeldFolderTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private func files() throws -> [String: Data] {
        let folder = place.output("out")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return try Dictionary(
            uniqueKeysWithValues: paths.compactMap { path in
                var isFolder: ObjCBool = false
                let file = folder.appendingPathComponent(path)
                _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
                return isFolder.boolValue ? nil : (path, try Data(contentsOf: file))
            })
    }

    private func finish(_ change: (inout FineTuningRun) -> Void = { _ in }) throws {
        _ = try place.run(LoRA(rank: 2), to: "out", change).run { _ in }
    }

    private func interrupt(
        after steps: Int = 2, _ change: (inout FineTuningRun) -> Void = { _ in }
    ) {
        let stop = StopAfter(steps)
        #expect(throws: TrainingError.self) {
            try place.run(LoRA(rank: 2), to: "out", change)
                .run(shouldStop: { stop() }) { stop.hear($0) }
        }
    }

    // MARK: - Refused

    @Test("A finished run is refused, with the ways on, and stays as it is")
    func finished() throws {
        try finish { $0.recipe = "task: toy\n" }
        let before = try files()
        for method in [LoRA(rank: 2), FullFineTuning()] as [any FineTuningMethod] {
            let text = message { _ = try place.run(method, to: "out").run { _ in } }
            #expect(
                text.contains("holds a finished run (train.jsonl, result.json, "), "in: \(text)")
            for way in ["`overwrite` replaces it", "another `output`", "`resume` would need"] {
                #expect(text.contains(way), "in: \(text)")
            }
        }
        #expect(try files() == before)
    }

    @Test("An interrupted run is refused, and its checkpoint stays")
    func interrupted() throws {
        interrupt()
        let before = try files()
        let error = #expect(throws: RunError.self) { try finish() }
        let text = "\(try #require(error))"
        #expect(text.contains("an interrupted run (train.jsonl, checkpoints): `resume`"))
        #expect(text.contains("step-00000002") && text.contains("`overwrite`"))
        #expect(try files() == before)
    }

    @Test(
        "One file that a run writes is enough",
        arguments: ["adapter_config.json", "train.jsonl", "recipe.yaml", "checkpoints/step-1/x"])
    func oneFile(_ name: String) throws {
        try place.folder.write("x", to: "out/\(name)")
        let text = message { try finish() }
        #expect(text.contains("`overwrite`"), "in: \(text)")
        #expect(try files() == [name: Data("x".utf8)])
    }

    @Test("To go on and to begin anew do not go together")
    func contradiction() throws {
        let text = message {
            try finish { ($0.resume, $0.overwrite) = (true, true) }
        }
        #expect(text == "`overwrite`: it does not go with `resume`")
    }

    // MARK: - Replaced

    /// What ends a run that replaces another.
    private struct Failure: Error {}

    @Test("A run that fails leaves the one that it was to replace as it was")
    func failing() throws {
        try finish()
        let before = try files()
        #expect(throws: Failure.self) {
            try place.run(FullFineTuning(), to: "out") { $0.overwrite = true }.run {
                if case .training(.step) = $0 { throw Failure() }
            }
        }
        #expect(try files() == before)
        #expect(throws: AdapterError.self) {
            try finish { ($0.overwrite, $0.targets) = (true, .names(["nothing"])) }
        }
        #expect(try files() == before)
    }

    @Test("A run that replaces another may be stopped and gone on from, and ends as any")
    func resumed() throws {
        _ = try place.run(LoRA(rank: 2), to: "whole") { $0.options.seed = 9 }.run { _ in }
        try finish()
        let before = try files()
        interrupt {
            $0.overwrite = true
            $0.options.seed = 9
        }
        let between = try files()
        for (name, data) in before { #expect(between[name] == data, "\(name)") }
        #expect(message { try finish() }.contains("from step-00000002"))
        try finish {
            $0.resume = true
            $0.options.seed = 9
        }
        for name in ["adapter_model.safetensors", "adapter_config.json"] {
            #expect(try place.read("out/\(name)") == place.read("whole/\(name)"))
        }
        #expect(try Set(files().keys) == Set(before.keys))
    }

    @Test("An interrupted run that is replaced leaves nothing behind")
    func replacedInterrupted() throws {
        interrupt()
        try finish { $0.overwrite = true }
        #expect(
            try files().keys.sorted() == [
                "adapter_config.json", "adapter_model.safetensors", "loss.svg", "result.json",
                "train.jsonl",
            ])
    }

    // MARK: - Two at once

    @Test("A second run in the folder is refused by the process that is at work there")
    func locked() throws {
        var refusals: [String] = []
        _ = try place.run(LoRA(rank: 2), to: "out").run { event in
            guard case .started = event else { return }
            for change in [{ $0.resume = true }, { $0.overwrite = true }, { _ in }]
                as [(inout FineTuningRun) -> Void]
            {
                refusals.append(message { try finish(change) })
            }
        }
        #expect(refusals.count == 3)
        for text in refusals {
            let holder = "out is in use by process \(getpid()) on "
            #expect(text.contains(holder) && text.contains("another `output`"), "in: \(text)")
        }
        #expect(place.exists("out/result.json"))
        #expect(!place.exists("out/\(FolderLock.fileName)"))
    }

    @Test(
        "What a killed process left of its lock is taken over",
        arguments: ["", #"{"process":1,"host":"another","since":"2026-01-01T00:00:00Z"}"#])
    func stale(_ text: String) throws {
        try place.folder.write(text, to: "out/\(FolderLock.fileName)")
        try finish()
        #expect(!place.exists("out/\(FolderLock.fileName)"))
    }

    @Test("A holder is gone when its process is, and only this machine's can be told")
    func gone() {
        var holder = FolderLock.Holder.mine
        #expect(!holder.isGone)
        // Beyond what Linux and macOS number processes by.
        holder.process = 0x7fff_fff0
        #expect(holder.isGone)
        holder.host += "-other"
        #expect(!holder.isGone)
    }
}
