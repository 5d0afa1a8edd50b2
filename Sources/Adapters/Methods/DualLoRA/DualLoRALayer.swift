import DualModules
import DualTorch

/// One layer's Dual LoRA.
package final class DualLoRALayer: WeightChange, StepAwareAdapter {
    let factors: DualLoRAFactors
    /// The factors as they began, where the update counts from there.
    private let start: DualLoRAFactors?
    private let method: DualLoRA
    /// ω
    private(set) var gate: Double

    init(_ method: DualLoRA, _ factors: DualLoRAFactors) throws {
        self.factors = factors
        self.method = method
        start = method.warmup == .subtractStart ? try factors.copied() : nil
        gate = method.gate
    }

    /// r₁, and r₂ of a direction that has a rank.
    package var ranks: [Int] {
        guard case .learned(let c, _) = factors.direction else { return [factors.a.size(0)] }
        return [factors.a.size(0), c.size(0)]
    }

    /// Whether the update counts from what it was at the start, which is formed as often.
    package var countsFromStart: Bool { start != nil }

    package var parameters: [(name: String, value: Tensor)] {
        factors.trained.map { ("dual_lora_\($0.letter).weight", $0.value) }
    }

    /// The factors of the start, where the update counts from there, and the seed of a fixed direction.
    package var state: [(name: String, value: Tensor)] {
        var tensors =
            start?.trained.map { ("dual_lora_\($0.letter)_init.weight", $0.value) } ?? []
        if case .fixed(let seed) = factors.direction { tensors.append(("dual_lora_seed", seed)) }
        return tensors
    }

    package func savedTensors() throws -> [(name: String, value: Tensor)] { parameters + state }

    package func prepare(_ progress: TrainingProgress) {
        guard method.warmup == .gate else {
            gate = 1
            return
        }
        let rampSteps = min(method.gateSteps ?? progress.warmupSteps, progress.totalSteps)
        let ramp = rampSteps == 0 ? 1 : min(1, Double(progress.step) / Double(rampSteps))
        // One that was trained before goes on from the gate that it had then, as a rule 1.
        let first = progress.startsTrained ? method.gate : 0
        gate = first + (1 - first) * ramp
    }

    // MARK: - The definition

    /// Eq. 9, differentiable by the rule of eq. 7, or by another of ``SignGradient``.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        let update = try definition(factors, for: base)
        return try start.map { try update - definition($0, for: base) } ?? update
    }

    private func definition(_ factors: DualLoRAFactors, for base: Linear) throws -> Tensor {
        let scale = gate * method.scale
        let magnitude = try method.variant.magnitude.value(factors.b.matmul(factors.a))  // eq. 5
        switch factors.direction {
        case .fixed(let seed):
            let signs = try FixedDirection(seed: seed, columns: base.inputSize)
                .rows(0..<base.outputSize, like: magnitude)
            return try scale * (magnitude * signs)
        case .learned(let c, let d):
            let product = try d.matmul(c)
            guard method.variant.direction == .sign else {
                return try scale * (magnitude * product)
            }
            guard method.variant.signGradient != .clipUpdate else {
                return try updateWithClippedGradient(magnitude, product, scale: scale)
            }
            let direction = try straightThroughSign(product, method.variant.signGradient)  // eq. 6
            return try scale * (magnitude * direction)
        }
    }

    // MARK: - The layer

    /// The same as blocks, with the values that the gate and the factors have now.
    private func update() throws -> any FactoredUpdate {
        let update = try blocks(of: factors)
        return try start.map { UpdateSinceStart(update: update, start: try blocks(of: $0)) }
            ?? update
    }

    private func blocks(of factors: DualLoRAFactors) throws -> any FactoredUpdate {
        let scale = gate * method.scale
        let variant = method.variant
        if case .learned(let c, let d) = factors.direction, variant.magnitude == .relu,
            variant.direction == .sign, variant.signGradient.bound != nil
        {
            return DualLoRAUpdate(
                a: factors.a, b: factors.b, c: c, d: d, scale: scale,
                signGradient: variant.signGradient)
        }
        return try PlainDualLoRAUpdate(factors, variant, scale: scale)
    }

    /// Eq. 10. The update is formed when it is needed and never kept.
    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        try base.changed(x, dropout: method.dropout, mode: mode) { input, weight, bias in
            try input.linear(
                through: update(), weight: weight, bias: bias, outputSize: base.outputSize)
        }
    }

    /// What the layer's products see, bit for bit, where they are computed in the weight's type.
    package func updatedWeight(for base: Linear) throws -> Tensor {
        try update().formed(onto: base.weight.stored)
    }
}
