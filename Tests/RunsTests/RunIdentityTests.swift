import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// Which run may go on from a checkpoint.
@Suite struct RunIdentityTests {
    /// A run that was stopped after two steps.
    private func stopped(
        _ method: any FineTuningMethod = LoRA(rank: 2), in place: Workplace
    ) throws {
        let stop = StopAfter(2)
        #expect(throws: TrainingError.self) {
            try place.run(method, to: "out").run(shouldStop: { stop() }) { stop.hear($0) }
        }
    }

    /// What is said when it is to go on.
    private func refusal(
        _ method: any FineTuningMethod = LoRA(rank: 2), in place: Workplace,
        _ change: (inout FineTuningRun) -> Void = { _ in }
    ) -> String {
        let run = place.run(method, to: "out") {
            $0.resume = true
            change(&$0)
        }
        return message { _ = try run.run { _ in } }
    }

    @Test("Another base model of the same shape is refused")
    func otherBase() throws {
        let place = try Workplace()
        try stopped(in: place)
        let other = try Bert.tiny(labels: 2, dropout: 0.1, seed: 77)
        try other.write(to: place.model)
        let text = refusal(in: place)
        #expect(text.hasSuffix("step-00000002 is of a run on another base model"), "in: \(text)")
    }

    @Test("A base model with another configuration is refused, one written otherwise is not")
    func otherConfiguration() throws {
        let place = try Workplace()
        try stopped(in: place)
        let file = try place.read("model/config.json")
        var fields = try #require(
            try JSONSerialization.jsonObject(with: file) as? [String: Any])
        let text = String(decoding: file, as: UTF8.self)
        fields["layer_norm_eps"] = 0.1
        try place.folder.write(
            JSONSerialization.data(withJSONObject: fields), to: "model/config.json")
        #expect(refusal(in: place).contains("another base model"))
        try place.folder.write(text.replacing("\n", with: "\n "), to: "model/config.json")
        #expect(refusal(in: place) == "no error")
    }

    @Test("A run of a version in which no vector decayed goes on so")
    func formerWeightDecay() throws {
        func resumed(isFormer: Bool) throws -> Data {
            let place = try Workplace()
            let run = place.run(DoRA(LoRA(rank: 2)), to: "out") {
                $0.options.weightDecay = 0.5
            }
            let stop = StopAfter(2)
            #expect(throws: TrainingError.self) {
                try run.run(shouldStop: { stop() }) { stop.hear($0) }
            }
            let state = "out/checkpoints/step-00000002/state.json"
            let text = String(decoding: try place.read(state), as: UTF8.self)
            #expect(text.contains("\"decaying-vectors\" : \"true\""), "in: \(text)")
            if isFormer {
                let former = text.replacing(/"decaying-vectors" : "true",?\s*/, with: "")
                    .replacing(/"digest" : "[^"]*",?\s*/, with: "")
                try place.folder.write(former, to: state)
            }
            var rest = run
            rest.resume = true
            _ = try rest.run { _ in }
            return try place.read("out/adapter_model.safetensors")
        }
        #expect(try resumed(isFormer: true) != resumed(isFormer: false))
    }

    @Test("Other examples of as many tokens are refused", arguments: ["label", "word"])
    func otherExamples(_ change: String) throws {
        let place = try Workplace()
        try stopped(in: place)
        let text = String(decoding: try place.read("data/train.tsv"), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first)
        let columns = line.split(separator: "\t").map(String.init)
        let words = columns[1].split(separator: " ").map { $0.hasPrefix("w") ? "w0" : $0 }
        let other =
            change == "label"
            ? "\(columns[0] == "1" ? 0 : 1)\t\(columns[1])"
            : "\(columns[0])\t\(words.joined(separator: " "))"
        try place.folder.write(text.replacing(line, with: other), to: "data/train.tsv")
        let found = refusal(in: place)
        #expect(found.hasSuffix("is of a run on another set of examples"), "in: \(found)")
    }

    /// They decide which step is the best, and stand in the log.
    @Test("Other dev examples are refused")
    func otherDevExamples() throws {
        let place = try Workplace()
        try stopped(in: place)
        let text = String(decoding: try place.read("data/dev.tsv"), as: UTF8.self)
        try place.folder.write(text.replacing("yes", with: "no"), to: "data/dev.tsv")
        let found = refusal(in: place)
        #expect(found.hasSuffix("is of a run on another set of dev examples"), "in: \(found)")
    }

    @Test("Fewer examples are told by their number")
    func fewerExamples() throws {
        let place = try Workplace()
        try stopped(in: place)
        let lines = String(decoding: try place.read("data/train.tsv"), as: UTF8.self)
            .split(separator: "\n")
        try place.folder.write(lines.dropLast().joined(separator: "\n"), to: "data/train.tsv")
        let text = refusal(in: place) { $0.options.steps = 10 }
        #expect(text.hasSuffix("is of a run on 40 examples, not 39"), "in: \(text)")
    }

    @Test("What differs is named as the command line spells it")
    func spelling() throws {
        let place = try Workplace()
        try stopped(in: place)
        #expect(refusal(LoRA(rank: 3), in: place).hasSuffix("of a run with `rank` 2, not 3"))
        let other = refusal(DualLoRA(magnitudeRank: 1, directionRank: 1), in: place)
        #expect(other.hasSuffix("of a run with `method` lora, not dual-lora"), "in: \(other)")
        let targets = refusal(in: place) { $0.targets = .names(["query", "key"]) }
        #expect(targets.hasSuffix("of a run without `targets`, not with query,key"))
        let warmup = refusal(in: place) { $0.options.warmupSteps = 1 }
        #expect(warmup.hasSuffix("of a run without `warmup-steps`, not with 1"))
        let best = refusal(in: place) { $0.options.keepsBest = true }
        #expect(best.hasSuffix("of a run with `keep-best` false, not true"))
        #expect(refusal(in: place) == "no error")
    }

    /// Such a checkpoint could be of any model and data.
    @Test("A checkpoint that does not say what it is of is refused")
    func earlierVersion() throws {
        let place = try Workplace()
        try stopped(in: place)
        let path = "out/checkpoints/step-00000002/state.json"
        var fields = try #require(
            try JSONSerialization.jsonObject(with: place.read(path)) as? [String: Any])
        fields["identity"] = ["seed": "3", "method": "LoRA(rank: 2)"]
        try place.folder.write(JSONSerialization.data(withJSONObject: fields), to: path)
        let text = refusal(in: place)
        #expect(text.contains("step-00000002: an earlier version"), "in: \(text)")
        #expect(text.hasSuffix("`overwrite` starts the run anew"))
    }

    @Test("Every tensor of a base model counts, also past its beginning")
    func everyTensor() throws {
        let place = try Workplace()
        let run = place.run(to: "out")
        let configuration = try ModelFolder(place.model).configuration
        let digest = try Fingerprint.digest(of: run.base, configuration)
        #expect(try Fingerprint.digest(of: run.base, configuration) == digest)
        let path = "model/model.safetensors"
        let file = try place.read(path)
        let checkpoint = try Checkpoint(folder: place.model)
        var tensors: [String: Tensor] = [:]
        for name in checkpoint.names { tensors[name] = try checkpoint.tensor(name).cloned() }
        for (name, tensor) in tensors {
            var changed = tensors
            changed[name] = try tensor * 1.5
            try SafetensorsWriter.write(changed, to: place.folder.file(path))
            let isZero = try tensor.magnitude().maximum().item() == 0
            #expect(
                try (Fingerprint.digest(of: run.base, configuration) == digest) == isZero, "\(name)"
            )
        }
        try place.folder.write(file, to: path)
        #expect(try Fingerprint.digest(of: run.base, configuration) == digest)
    }
}
