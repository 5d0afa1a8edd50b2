import DualAdapters
import DualModules
import Testing

/// One row of the matrix of all methods over all architectures. A method's quirk is a column here,
/// never an `if` in a test body. The rows of a method stand in a file of its name.
struct MethodCase: Sendable, CustomTestStringConvertible {
    let method: String
    var options: MethodOptions = ["rank": "4"]
    /// How far the model's outputs may be from the base's before the first step; 0 is bit for bit, nil
    /// where the method starts elsewhere.
    var startTolerance: Double? = 0
    /// Trainable numbers on a model whose adapted layers are these; nil for the sum of what the method
    /// says of each.
    var count: (@Sendable (AdapterSlots, [Linear]) -> Int)?
    /// A rate at which ten steps lower the loss.
    var learningRate = 1e-2

    var testDescription: String { "\(method) \(options)" }

    static let all: [MethodCase] =
        lora
        + loraPlus
        + dora
        + hira
        + dualLoRA
        + dualLoRAVariants
        + deltaLoRA
        + corda
        + vera
        + randLoRA
        + mora
        + flora
        + full
        + bottlenecks
        + loreft
        + projected
        + promptLearning

    static var adapters: [MethodCase] {
        get throws { try all.filter { try $0.make() is any AdapterMethod } }
    }

    func make() throws -> any FineTuningMethod { try MethodRegistry.make(method, options) }

    static let lora = [
        MethodCase(method: "lora"),
        MethodCase(method: "lora", options: ["rank": "2", "bias": "all"]),
        MethodCase(method: "lora", options: ["rank": "2", "bias": "lora_only"]),
        MethodCase(method: "lora", options: ["rank": "2", "init-weights": "gaussian"]),
    ]
    static let dualLoRA = [
        MethodCase(method: "dual-lora"),
        MethodCase(
            method: "dual-lora", options: ["rank": "4", "gate-steps": "0"], startTolerance: nil),
    ]
    static let full = [
        MethodCase(method: "full", options: [:]),
        MethodCase(method: "full", options: ["train": "bias,norm,ln_"]),
    ]
}
