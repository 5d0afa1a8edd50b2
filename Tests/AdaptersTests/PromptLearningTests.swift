import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct PromptLearningTests {
    private static let encoded: [any AdapterMethod] = [
        PrefixTuning(virtualTokens: 3, projects: true, encoderSize: 5),
        PTuning(virtualTokens: 3, encoderSize: 5),
        PTuning(virtualTokens: 3, encoder: .recurrence, encoderSize: 5),
        PTuning(virtualTokens: 3, encoder: .recurrence, encoderSize: 4, encoderLayers: 3),
    ]

    private static let tables: [any AdapterMethod] = [
        PrefixTuning(virtualTokens: 3), PrefixTuning(virtualTokens: 3, start: .zero),
        PromptTuning(virtualTokens: 3), PromptTuning(virtualTokens: 3, start: .words),
    ]

    /// A model with as many key heads as heads, so that every size of `parameterCount` is one.
    private func model() throws -> any CausalModel { try TinyDecoder.gpt2(dropout: 0).make() }

    private func set(_ method: any AdapterMethod, _ slots: AdapterSlots) throws -> AdapterSet {
        try AdapterSet(method, of: slots, using: Generator(seed: 4))
    }

    private func logits(_ model: any CausalModel) throws -> Tensor {
        try withoutGradient { try model.logits(.seeded(lengths: [5, 3])) }
    }

    @Test("An encoder is dropped when it is saved: its output says the same", arguments: encoded)
    func theEncoderIsDropped(_ method: any AdapterMethod) throws {
        let folder = try TemporaryFolder()
        let (model, other) = (try model(), try model())
        let adapter = try set(method, model.slots)
        #expect(adapter.parts.count == 1 && adapter.parameters.count > 4)
        let expected = try logits(model)
        try AdapterFolder.write(
            adapter, task: .causalLanguageModel, baseModel: "base", to: folder.url)
        let file = try SafetensorsFile(folder.file("adapter_model.safetensors"))
        #expect(Array(file.names) == ["prompt_embeddings"])
        let loaded = try AdapterFolder(folder.url).attach(to: other.slots)
        #expect(loaded.parameters.map(\.name) == ["prompt_embeddings"])
        #expect(try logits(other).isClose(to: expected, absolute: 1e-5))
        // What is loaded trains as a table.
        let table = try loaded.parameters[0].value.requireGradient()
        let gradient = try other.logits(.seeded(lengths: [5, 3])).sum().gradients(with: [table])
        #expect(try #require(gradient[0]).norm().item() > 0)
    }

    @Test("As many numbers train as the method counts", arguments: encoded + tables)
    func count(_ method: any AdapterMethod) throws {
        let model = try model()
        let adapter = try set(method, model.slots)
        let size = try #require(model.slots.prompt).hiddenSize
        var expected = method.parameterCount(outputSize: size, inputSize: size)
        if let prefix = method as? PrefixTuning {
            // Counted for one block; the tiny model has two.
            let perBlock = prefix.projects ? (5 + 1) * 2 * size : expected
            expected += perBlock
        }
        #expect(adapter.parameterCount == expected)
    }

    @Test("An LSTM is the cell of its paper, there and back, and so are its gradients")
    func recurrence() throws {
        let (V, k, h) = (4, 3, 2)
        let x = try Tensor.seeded([V, k], seed: 1, dtype: .float64).requireGradient()
        let shapes = [[4 * h, k], [4 * h, h], [4 * h], [4 * h]]
        let tensors = try (shapes + shapes).enumerated().map {
            try Tensor.seeded($1, seed: 2 + UInt64($0), dtype: .float64).requireGradient()
        }
        func direction(_ parts: [Tensor], _ order: [Int]) throws -> [Int: Tensor] {
            var state = try Tensor.zeros([1, h], dtype: .float64)
            var (cell, outputs) = (state, [Int: Tensor]())
            for token in order {
                let sum =
                    try x.slice(token..<token + 1).linear(parts[0], bias: parts[2])
                    + state.linear(parts[1], bias: parts[3])
                func gate(_ index: Int) throws -> Tensor {
                    try sum.slice(index * h..<(index + 1) * h, along: 1)
                }
                cell = try gate(1).sigmoid() * cell + gate(0).sigmoid() * gate(2).tanh()
                state = try gate(3).sigmoid() * cell.tanh()
                outputs[token] = state
            }
            return outputs
        }
        let forwards = try direction(Array(tensors[..<4]), Array(0..<V))
        let backwards = try direction(Array(tensors[4...]), (0..<V).reversed())
        let expected = try Tensor.joined(
            (0..<V).map {
                try Tensor.joined(
                    [#require(forwards[$0]), #require(backwards[$0])], along: 1)
            }, along: 0)
        let found = try x.bidirectionalLSTM(tensors)
        #expect(try found.isClose(to: expected, absolute: 1e-12))
        let seed = try Tensor.seeded([V, 2 * h], seed: 20, dtype: .float64)
        for (found, expected) in zip(
            try found.gradients(with: [x] + tensors, seed: seed),
            try expected.gradients(with: [x] + tensors, seed: seed))
        {
            #expect(try #require(found).isClose(to: #require(expected), absolute: 1e-10))
        }
    }

    @Test("Dropout between LSTMs acts in training only")
    func dropout() throws {
        let slots = try model().slots
        let part = try PTuning(
            virtualTokens: 3, encoder: .recurrence, encoderSize: 5, dropout: 0.5
        ).makeParts(for: slots, targets: .standard, using: Generator(seed: 1)).placed[0].part
        let prompt = try #require(part as? any InputPrompt)
        let still = try prompt.embeddings(.inference, dtype: .float32)
        func train(_ seed: UInt64) throws -> Tensor {
            try prompt.embeddings(.training(Generator(seed: seed)), dtype: .float32)
        }
        #expect(try prompt.embeddings(.inference, dtype: .float32).isIdentical(to: still))
        #expect(try train(1).isIdentical(to: train(1)))
        #expect(try !train(1).isIdentical(to: train(2)))
        #expect(try !train(1).isIdentical(to: still))
    }

    @Test("Dropout of a prefix drops so many of its numbers, in training only")
    func prefixDropout() throws {
        let slots = try model().slots
        let part = try PrefixTuning(["prefix-dropout": "0.25", "virtual-tokens": "40"])
            .makeParts(for: slots, targets: .standard, using: Generator(seed: 1)).placed[0].part
        let prefix = try #require(part as? any KeyValuePrefix)
        let plain = try prefix.keysAndValues(.inference, dtype: .float32)
        let dropped = try prefix.keysAndValues(.training(Generator(seed: 2)), dtype: .float32)
        let kept: [Double] = try (dropped / plain).array()
        #expect(kept.allSatisfy { $0 == 0 || abs($0 - 1 / 0.75) < 1e-5 })
        let share = Double(kept.count { $0 == 0 }) / Double(kept.count)
        #expect(abs(share - 0.25) < 0.04)
        #expect(
            message { _ = try PrefixTuning(["prefix-dropout": "1"]) }.contains("not a probability"))
    }

    @Test("A text's words come again where it is short, and are cut where it is long")
    func startFromText() throws {
        let slots = try model().slots
        let words = try #require(slots.prompt).words.value
        for (tokens, expected) in [
            ([7, 2], [7, 2, 7, 2, 7]), ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5]),
        ] {
            var method = PromptTuning(virtualTokens: 5, start: .text, initialText: "a text")
            method.start(from: tokens, tokenizer: "base")
            let table = try set(method, slots).parameters[0].value
            #expect(try table.isIdentical(to: words.gathered(rows: Tensor(expected))))
            // In memory of their own: training moves no word.
            try table.multiply(by: 2)
            #expect(try !table.isIdentical(to: words.gathered(rows: Tensor(expected))))
        }
    }

    @Test("Random words are words")
    func startFromWords() throws {
        let slots = try model().slots
        let words = try #require(slots.prompt).words.value
        func start(_ seed: UInt64) throws -> Tensor {
            try PromptTuning(virtualTokens: 30, start: .words)
                .makeParts(for: slots, targets: .standard, using: Generator(seed: seed))
                .placed[0].part.parameters[0].value
        }
        let table = try start(1)
        let distances = try (table.expandedDimension(at: 1) - words).squared().sum(along: -1)
        let least = try (-distances).indexOfMaximum(along: 1)
        #expect(try table.isIdentical(to: words.gathered(rows: least)))
        #expect(Set(try least.array(of: Int.self)).count > 10)
        #expect(try !table.isIdentical(to: start(2)))
    }

    @Test("A text needs tokens of the model")
    func textsThatCannotBe() throws {
        let slots = try model().slots
        for (tokens, word) in [([], "no tokens"), ([3, 40], "token 40")] as [([Int], String)] {
            var method = PromptTuning(virtualTokens: 5, start: .text, initialText: "a text")
            method.start(from: tokens, tokenizer: "base")
            let text = message { _ = try set(method, slots) }
            #expect(text.hasPrefix("`init-text` for prompt: ") && text.contains(word))
        }
    }

    @Test(
        "A size of an encoder that cannot be is refused by name",
        arguments: ["encoder_hidden_size", "encoder_num_layers"], [0, -1, 100_000])
    func badSizes(_ key: String, _ size: Int) throws {
        let file = ConfigurationFile(
            URL(fileURLWithPath: "a.json"), fields: ["num_virtual_tokens": 3, key: size])
        let words = "a.json: '\(key)' is \(size), but must be from 1 to 65536"
        #expect(message { _ = try PTuning(file) }.hasSuffix(words))
        guard key == "encoder_hidden_size" else { return }
        #expect(message { _ = try PrefixTuning(file) }.hasSuffix(words))
    }

    @Test("Every field comes back", arguments: encoded + tables)
    func fields(_ method: any AdapterMethod) throws {
        let folder = try TemporaryFolder()
        let model = try model()
        try AdapterFolder.write(set(method, model.slots), baseModel: "base", to: folder.url)
        let file = try ConfigurationFile(folder.file("adapter_config.json"))
        #expect(file.fields["num_virtual_tokens"] as? Int == 3)
        #expect(file.fields["token_dim"] as? Int == 16)
        #expect(file.fields["num_layers"] as? Int == 2)
        #expect(file.fields["num_attention_heads"] as? Int == 4)
        let read = try type(of: method).init(file)
        let parts = try read.makeParts(
            for: model.slots, targets: .standard, using: Generator(seed: 4))
        let (found, expected) = (
            parts.placed[0].part.parameters, try set(method, model.slots).parameters
        )
        #expect(found.map(\.name) == expected.map(\.name))
        for (found, expected) in zip(found, expected) {
            #expect(try found.value.isIdentical(to: expected.value))
        }
    }
}
