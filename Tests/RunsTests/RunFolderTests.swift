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

/// What a run does with an output folder that has something in it.
@Suite struct RunFolderTests {
    private func names(_ place: Workplace, _ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: place.output(folder).path).sorted()
    }

    private static let records = ["loss.svg", "result.json", "train.jsonl"]
    private static let methods: [any FineTuningMethod] = [LoRA(rank: 2), FullFineTuning()]

    @Test(
        "The base model's own folder is refused, by whatever name, and stays as it is",
        arguments: ["model", "link", "model/../model"])
    func baseFolder(_ output: String) throws {
        let place = try Workplace()
        try FileManager.default.createSymbolicLink(
            at: place.folder.file("link"), withDestinationURL: place.model)
        let before = try names(place, "model")
        let weights = try place.read("model/model.safetensors")
        for method in Self.methods {
            let text = message { _ = try place.run(method, to: output).run { _ in } }
            #expect(text.contains("is the folder of the base model"), "in: \(text)")
            #expect(text.contains("`output`"))
        }
        #expect(try names(place, "model") == before)
        #expect(try place.read("model/model.safetensors") == weights)
    }

    @Test("The folder of a new model's tokenizer or configuration is refused")
    func foldersOfNewModel() throws {
        let place = try Workplace()
        try FileManager.default.createDirectory(
            at: place.folder.file("c"), withIntermediateDirectories: true)
        for (output, owner) in [("model", "the tokenizer"), ("c", "the configuration")] {
            let run = place.run(FullFineTuning(), to: output) {
                $0.base = .new(
                    configuration: place.folder.file("c/config.json"), tokenizer: place.model)
            }
            let text = message { _ = try run.run { _ in } }
            #expect(text.contains("is the folder of \(owner)"), "in: \(text)")
        }
    }

    @Test("The data's own folder is refused, also where a file of it has a name that runs write")
    func dataFolder() throws {
        let place = try Workplace()
        try place.folder.write("{}\n", to: "lines/train.jsonl")
        for (data, output) in [("data", "data"), ("lines/train.jsonl", "lines")] {
            let run = place.run(to: output) { $0.data = [place.folder.file(data)] }
            let text = message { _ = try run.run { _ in } }
            #expect(text.contains("is the folder of the data"), "in: \(text)")
        }
        #expect(try place.read("lines/train.jsonl") == Data("{}\n".utf8))
    }

    @Test("A run leaves nothing of an earlier run beside what it writes")
    func earlierRun() throws {
        let place = try Workplace()
        let template = place.folder.file("model/chat_template.jinja")
        try place.folder.write("{{ messages }}", to: "model/chat_template.jinja")
        try place.folder.write("other", to: "out/mine.txt")
        _ = try place.run(FullFineTuning(), to: "out") { $0.recipe = "task: toy\n" }.run { _ in }
        try FileManager.default.removeItem(at: template)
        try place.folder.write("the picture of an earlier version", to: "out/loss.png")
        _ = try place.run(LoRA(rank: 2), to: "out") { $0.overwrite = true }.run { _ in }
        let adapter = ["adapter_config.json", "adapter_model.safetensors"]
        #expect(try names(place, "out") == adapter + ["loss.svg", "mine.txt"] + Self.records[1...])
        _ = try place.run(FullFineTuning(), to: "out") { $0.overwrite = true }.run { _ in }
        #expect(
            try names(place, "out") == [
                "config.json", "loss.svg", "mine.txt", "model.safetensors", "result.json",
                "tokenizer.json", "tokenizer_config.json", "train.jsonl", "vocab.txt",
            ])
    }

    @Test("What no run has left stays in the output folder")
    func othersFiles() throws {
        let place = try Workplace()
        try place.folder.write("weights", to: "out/model.safetensors")
        try place.folder.write("template", to: "out/chat_template.jinja")
        _ = try place.run(LoRA(rank: 2), to: "out") { $0.overwrite = true }.run { _ in }
        #expect(try place.read("out/model.safetensors") == Data("weights".utf8))
        #expect(try place.read("out/chat_template.jinja") == Data("template".utf8))
    }

    @Test("What a killed run left half written is removed by the next one")
    func leftovers() throws {
        let place = try Workplace()
        let gone = [".recipe.yaml.12.partial", ".model.safetensors.99.partial"]
        let kept = [".mine.12.partial", ".recipe.yaml.partial", ".recipe.yaml.x.partial"]
        for name in gone + kept { try place.folder.write("x", to: "out/\(name)") }
        _ = try place.run(LoRA(rank: 2), to: "out").run { _ in }
        let found = try names(place, "out").filter { $0.hasPrefix(".") }
        #expect(found == kept.sorted())
    }
}
