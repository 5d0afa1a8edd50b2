import DualAdapters
import DualModels
import DualTorch
import TestSupport
import Testing

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// What is special about LoRA+: the learning rates.
@Suite struct LoRAPlusTests {
    /// What trains, by name, after some steps at a constant rate.
    private func trained(
        _ method: String, _ options: MethodOptions = [:], modulesToSave: [String] = [], steps: Int
    ) throws -> [(name: String, before: Tensor, after: Tensor)] {
        var options = options
        options["rank"] = "4"
        let tiny = TinyModel.all[0]
        let trainee = try Trainee(
            tiny.make(), method: MethodRegistry.make(method, options), targets: nil,
            modulesToSave: modulesToSave, using: Generator(seed: 3))
        let before = try trainee.trainables.map { try $0.tensor.detached().cloned() }
        var training = TrainingOptions()
        (training.steps, training.batchSize, training.learningRate) = (steps, 8, 1e-3)
        (training.weightDecay, training.warmupRatio) = (0, 0)
        let trainer = try Trainer(
            trainee, on: tiny.examples(), scorer: nil, options: training, using: Generator(seed: 1))
        try trainer.run { _ in }
        return zip(trainee.trainables, before).map { ($0.name, $1, $0.tensor) }
    }

    @Test("A ratio of 1 is LoRA, bit for bit")
    func ratioOfOne() throws {
        let plain = try trained("lora", ["bias": "lora_only"], steps: 5)
        let plus = try trained(
            "lora-plus", ["loraplus-lr-ratio": "1", "bias": "lora_only"], steps: 5)
        #expect(plain.map(\.name) == plus.map(\.name))
        for (plain, plus) in zip(plain, plus) {
            #expect(try plus.before.isIdentical(to: plain.before))
            #expect(try plus.after.isIdentical(to: plain.after), "\(plus.name)")
        }
    }

    @Test("The first step of Adam moves B by the rate times the ratio, and A not at all")
    func firstStep() throws {
        for ratio in [1.0, 8, 16] {
            let options: MethodOptions =
                ratio == 16 ? [:] : ["loraplus-lr-ratio": String(ratio)]
            for (name, before, after) in try trained("lora-plus", options, steps: 1) {
                let moved = try (after - before).magnitude().maximum().item()
                if name.hasSuffix("lora_B.weight") {
                    #expect(abs(moved / (ratio * 1e-3) - 1) < 1e-3, "\(name)")
                } else {
                    // B is zero, and with it A's gradient.
                    #expect(moved == 0, "\(name)")
                }
            }
        }
    }

    @Test(
        "Modules that are saved whole learn at the rate, and what has one dimension at the ratio's")
    func wholeModules() throws {
        let modules = ["post_attention_layernorm", "up_proj"]
        var seen: Set<String> = []
        for (name, before, after) in try trained(
            "lora-plus", ["loraplus-lr-ratio": "8"], modulesToSave: modules, steps: 1)
        where !name.contains("lora_") {
            let moved = try (after - before).magnitude().maximum().item()
            let ratio = name.contains("layernorm") ? 8.0 : 1
            #expect(abs(moved / (ratio * 1e-3) - 1) < 1e-2, "\(name)")
            seen.formUnion(modules.filter(name.contains))
        }
        #expect(seen.count == 2)
    }
}
