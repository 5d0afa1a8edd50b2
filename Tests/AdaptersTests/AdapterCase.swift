import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// One row of the contract matrix. A method's quirk is a column here, never an `if` in a test body.
struct AdapterCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let method: any AdapterMethod
    /// Trainable numbers of a d x k layer.
    let count: @Sendable (_ d: Int, _ k: Int) -> Int
    /// Whether the layer says at step 0 what it said without the adapter, bit for bit.
    var startsAtBase = true
    /// Whether the adapter drops elements of its input.
    var drops = false
    /// Tensors whose gradient is zero at step 0.
    let silentAtStart: Set<String>
    /// Tensors whose gradient is the derivative, by place; the others have a stand-in for it.
    let smooth: [Int]
    /// One layer's adapter of given tensors.
    let assemble: @Sendable (_ tensors: [Tensor]) -> any LinearAdapter

    init(
        _ description: String, _ method: LoRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) {
        testDescription = description
        self.method = method
        self.drops = drops
        self.count = count
        // B is zero, and with it A's gradient.
        silentAtStart = ["lora_A.weight"]
        smooth = [0, 1]
        assemble = {
            LoRALayer(down: $0[0], up: $0[1], scale: method.scale, dropout: method.dropout)
        }
    }

    init(
        _ description: String, _ method: DualLoRA, startsAtBase: Bool = true, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) {
        testDescription = description
        self.method = method
        self.startsAtBase = startsAtBase
        self.drops = drops
        self.count = count
        // While the gate is shut, so is every gradient.
        silentAtStart = startsAtBase ? Set(DualLoRA.tensorNames) : []
        smooth = [0, 1]
        assemble = { DualLoRALayer(method, a: $0[0], b: $0[1], c: $0[2], d: $0[3]) }
    }

    static let all: [AdapterCase] = [
        AdapterCase("lora", LoRA(rank: 4)) { 4 * ($0 + $1) },
        AdapterCase("lora, rank-stabilised", rankStabilized) { 9 * ($0 + $1) },
        AdapterCase("lora with dropout", LoRA(rank: 4, dropout: 0.4), drops: true) {
            4 * ($0 + $1)
        },
        AdapterCase("dual-lora", DualLoRA(magnitudeRank: 4, directionRank: 4)) { 8 * ($0 + $1) },
        AdapterCase("dual-lora, r1 > r2", DualLoRA(magnitudeRank: 5, directionRank: 2)) {
            7 * ($0 + $1)
        },
        AdapterCase("dual-lora, r1 < r2", DualLoRA(magnitudeRank: 1, directionRank: 3, alpha: 1)) {
            4 * ($0 + $1)
        },
        AdapterCase(
            "dual-lora without gate",
            DualLoRA(magnitudeRank: 4, directionRank: 4, gateSteps: 0), startsAtBase: false
        ) { 8 * ($0 + $1) },
        AdapterCase(
            "dual-lora with dropout", DualLoRA(magnitudeRank: 4, directionRank: 4, dropout: 0.4),
            drops: true
        ) { 8 * ($0 + $1) },
        AdapterCase(
            "dual-lora, given deviation",
            DualLoRA(magnitudeRank: 4, directionRank: 4, initialDeviation: 0.1)
        ) { 8 * ($0 + $1) },
    ]

    private static var rankStabilized: LoRA {
        var method = LoRA(rank: 9, alpha: 6)
        method.rankStabilized = true
        return method
    }

    static var withoutDropout: [AdapterCase] { all.filter { !$0.drops } }

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
    func fresh(for layer: Linear) throws -> any LinearAdapter {
        try method.makeAdapter(for: layer, using: Generator(seed: 4))
    }

    /// An adapter that has long left its start: in float64, every tensor drawn anew.
    func moved(for layer: Linear, dtype: DType = .float64) throws -> any LinearAdapter {
        let tensors = try fresh(for: layer).parameters.enumerated().map { index, parameter in
            try Tensor.seeded(
                parameter.value.shape, seed: 50 + UInt64(index), deviation: 0.5, dtype: dtype)
        }
        return assemble(tensors)
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
    for (index, parameter) in set.parameters.enumerated() {
        try parameter.value.copy(
            from: .seeded(parameter.value.shape, seed: seed &+ UInt64(index), deviation: 0.3))
    }
}
