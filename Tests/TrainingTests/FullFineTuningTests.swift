import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTraining

/// Full fine-tuning of some weights alone, BitFit above all.
@Suite struct FullFineTuningTests {
    private static func isBias(_ name: String) -> Bool { name.hasSuffix(".bias") }

    private func trainee(_ model: any TransformerModel, _ trained: String...) throws -> Trainee {
        try Trainee(
            model, method: FullFineTuning(trained: trained), targets: nil,
            using: Generator(seed: 1))
    }

    @Test("Biases are all that BitFit trains of GPT-2 and BERT, their heads aside")
    func biases() throws {
        for tiny in [TinyModel.all.last, TinyModel.all.first { $0.testDescription == "gpt2" }] {
            let model = try #require(tiny).make()
            let found = try trainee(model, "bias")
            let head = (model as? any SequenceModel)?.head?.path
            let expected = model.parameters.filter { parameter in
                Self.isBias(parameter.name)
                    || head.map { parameter.name.hasPrefix($0 + ".") } ?? false
            }
            #expect(found.trainables.map(\.name) == expected.map(\.name))
            #expect(found.trainables.filter { Self.isBias($0.name) }.count > 10)
            #expect(found.adapter == nil)
            for parameter in model.parameters {
                let trains = expected.contains { $0 === parameter }
                #expect(parameter.stored.requiresGradient == trains, "\(parameter.name)")
            }
            // A head of a task is no part of the method's count.
            let count = expected.reduce(0) { sum, parameter in
                let isHead = head.map { parameter.name.hasPrefix($0 + ".") } ?? false
                return sum + (isHead ? 0 : parameter.stored.count)
            }
            #expect(found.methodCount == count)
        }
    }

    @Test(
        "Words choose weights by their names, in any case",
        arguments: [
            ("layer.1.output", 4), ("LAYERNORM", 10), ("query.weight,query.bias", 4),
            ("embeddings.layernorm.weight", 1),
        ])
    func words(_ text: String, _ count: Int) throws {
        let method = try FullFineTuning(["train": text])
        let found = try Trainee(
            TinyModel.all[TinyModel.all.count - 1].make(), method: method, targets: nil,
            using: Generator(seed: 1))
        #expect(found.trainables.filter { $0.role == .weight }.count == count)
        #expect(found.trainables.filter { $0.role == .head }.count == 2)
    }

    @Test("Words that name no weight are refused")
    func nothing() throws {
        let text = message { _ = try trainee(Bert.tiny(), "biass") }
        #expect(text == "`train`: it names no weight of this model")
        // LLaMA has no biases.
        let llama = try TinyDecoder.all[0].make()
        #expect(message { _ = try trainee(llama, "bias") } == text)
    }

    @Test("A run of BitFit moves biases and the head, and saves the whole model")
    func run() throws {
        let place = try Workplace()
        let result = try place.run(FullFineTuning(trained: ["bias"]), to: "out").run { _ in }
        let before = try SafetensorsFile(place.folder.file("model/model.safetensors"))
        let after = try SafetensorsFile(place.folder.file("out/model.safetensors"))
        #expect(Set(after.names) == Set(before.names))
        var moved = 0
        for name in before.names {
            let isSame = try after.tensor(name).isIdentical(to: before.tensor(name))
            let trains = Self.isBias(name) || name.hasPrefix("classifier.")
            #expect(isSame != trains, "\(name)")
            if trains, !name.hasPrefix("classifier.") { moved += try before.tensor(name).count }
        }
        #expect(result.methodParameters == moved)
        #expect(result.trainableParameters == moved + 26)
        let loaded = try AdaptedModel.load(
            model: place.output("out"), adapter: nil, options: ModelFolder.LoadOptions())
        #expect(loaded.notes.isEmpty)
    }

    @Test("BitFit resumes to the same bytes")
    func resume() throws {
        let place = try Workplace()
        let method = FullFineTuning(trained: ["bias"])
        _ = try place.run(method, to: "whole").run { _ in }
        let stop = StopAfter(4)
        #expect(throws: TrainingError.self) {
            try place.run(method, to: "parts").run(shouldStop: { stop() }) { stop.hear($0) }
        }
        _ = try place.run(method, to: "parts") { $0.resume = true }.run { _ in }
        #expect(try place.read("parts/model.safetensors") == place.read("whole/model.safetensors"))
    }
}
