import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// One row of the contract matrix of methods that change linear layers. A method's quirk is a column
/// here, never an `if` in a test body. The rows of a method stand in `Cases/`.
struct AdapterCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let method: any LinearAdapterMethod
    /// Trainable numbers of a d x k layer.
    let count: @Sendable (_ d: Int, _ k: Int) -> Int
    /// Whether the layer says at step 0 what it said without the adapter, bit for bit.
    var startsAtBase = true
    /// How far from the base a start at the base may be, in float32; 0 is bit for bit.
    var startTolerance = 0.0
    /// Whether what trains starts at random numbers.
    var startsAtRandom = true
    /// Whether the adapter drops elements of its input.
    var drops = false
    /// Tensors whose gradient is zero at step 0.
    var silentAtStart: Set<String> = []
    /// Tensors whose gradient is the derivative, by place; nil for all. The others have a stand-in.
    var smooth: [Int]?
    /// Whether a weight that itself trains has the gradient that it has without the adapter.
    var leavesBaseGradient = true
    /// Whether a saved adapter is read back by the same method; LoRA's kin save what LoRA reads.
    var readsAsItself = true

    static let all: [AdapterCase] =
        lora
        + loraPlus
        + dora
        + hira
        + dualLoRA
        + dualLoRAVariants
        + deltaLoRA
        + corda
        + adapterP
        + vera
        + randLoRA
        + mora
        + flora

    static var withoutDropout: [AdapterCase] { all.filter { !$0.drops } }
    static var merging: [AdapterCase] { all.filter { type(of: $0.method).facts.merges } }

    /// 7 x 5: out ≠ in, so that a transpose shows.
    static func layer(dtype: DType = .float32) throws -> Linear {
        Linear(
            path: "bert.layer.0.query", weight: try .seeded([7, 5], seed: 1, dtype: dtype),
            bias: try .seeded([7], seed: 2, dtype: dtype))
    }

    static func input(dtype: DType = .float32) throws -> Tensor {
        try .seeded([3, 4, 5], seed: 3, dtype: dtype)
    }

    /// The method's own adapter, as it starts.
    func fresh(for layer: Linear, seed: UInt64 = 4) throws -> any LinearAdapter {
        let parts = try method.makeAdapters(for: [layer], using: Generator(seed: seed))
        try withoutGradient {
            try (method as? any CalibratedMethod)?.calibrate(parts.placed) {
                _ = try layer(Self.input(dtype: layer.weight.stored.numberType))
            }
        }
        return try #require(parts.placed.first?.part as? any LinearAdapter)
    }

    /// An adapter that has long left its start: every tensor drawn anew, in the layer's type.
    func moved(for layer: Linear) throws -> any LinearAdapter {
        let adapter = try fresh(for: layer)
        for (index, parameter) in (adapter.parameters + adapter.state).enumerated() {
            _ = try parameter.value.copy(
                from: .seeded(
                    parameter.value.shape, seed: 50 + UInt64(index), deviation: 0.5,
                    dtype: parameter.value.dtype))
        }
        return adapter
    }
}

extension LinearAdapter {
    /// Tells an adapter that follows the steps which one comes, in a run that is all warm-up.
    func prepare(step: Int, of total: Int) {
        (self as? any StepAwareAdapter)?.prepare(
            TrainingProgress(step: step, totalSteps: total, warmupSteps: total))
    }
}

/// Draws every tensor of an adapter anew, in place.
func randomize(_ set: AdapterSet, seed: UInt64) throws {
    for (index, parameter) in (set.parameters + set.state).enumerated() {
        try parameter.value.copy(
            from: .seeded(parameter.value.shape, seed: seed &+ UInt64(index), deviation: 0.3))
    }
}
