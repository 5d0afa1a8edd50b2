import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// How much of a small change of a weight reaches the output of a layer that is computed in bfloat16.
///
///     share = ⟨y − y₀, x ΔWᵀ⟩ / ‖x ΔWᵀ‖²,  y of the adapted layer, y₀ of the layer alone
///
/// The share is 1 where all of it arrives, however coarse the numbers are that carry it, and 0 where none
/// does. `Documentation/precision.md` has the table.
@Suite struct NarrowTypeTests {
    /// ‖ΔW‖ / ‖W₀‖
    static let sizes = [2e-4, 1e-3, 1e-2]

    /// A method whose ΔW is as large as one of its tensors is.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: any LinearAdapterMethod
        /// The tensor that makes the change.
        let tensor: String
        /// Whether the change is what the tensor moves from its start.
        var countsFromStart = false
        /// Whether y and what is added to it are each rounded first, as PEFT does.
        var isPath = false
    }

    static let rows: [Row] = {
        func dual(_ variant: DualLoRAVariant) -> DualLoRA {
            DualLoRA(variant: variant)
        }
        var turned = MoRA(rank: 8)
        turned.kind = .rotated
        return [
            Row(testDescription: "hira", method: HiRA(rank: 8), tensor: "hira_B"),
            Row(
                testDescription: "dual-lora", method: DualLoRA(), tensor: "dual_lora_A.weight"),
            Row(
                testDescription: "dual-lora, abs", method: dual(.init(magnitude: .abs)),
                tensor: "dual_lora_A.weight"),
            Row(
                testDescription: "dual-lora, setting 0",
                method: dual(.init(magnitude: .identity, direction: .identity)),
                tensor: "dual_lora_A.weight"),
            Row(
                testDescription: "dual-lora, setting 3", method: dual(.init(direction: .fixed)),
                tensor: "dual_lora_A.weight"),
            Row(testDescription: "randlora", method: RandLoRA(rank: 8), tensor: "randlora_lambda"),
            Row(
                testDescription: "dora, its magnitude", method: DoRA(),
                tensor: "lora_magnitude_vector", countsFromStart: true),
            Row(
                testDescription: "mora, chunks turned", method: turned, tensor: "lora_A.weight",
                isPath: true),
            Row(
                testDescription: "dora, its direction", method: DoRA(), tensor: "lora_B.weight",
                isPath: true),
            Row(
                testDescription: "lora", method: LoRA(rank: 8), tensor: "lora_B.weight",
                isPath: true),
            Row(
                testDescription: "corda", method: CorDA(rank: 8), tensor: "lora_B.weight",
                countsFromStart: true, isPath: true),
            Row(
                testDescription: "delta-lora", method: DeltaLoRA(rank: 8), tensor: "lora_B.weight",
                isPath: true),
            Row(testDescription: "vera", method: VeRA(), tensor: "vera_lambda_b", isPath: true),
            Row(
                testDescription: "mora", method: MoRA(rank: 8), tensor: "lora_A.weight",
                isPath: true),
            Row(
                testDescription: "flora", method: FLoRA(rank: 8), tensor: "lora_E.weight",
                isPath: true),
        ]
    }()

    private static let (d, k, tokens) = (96, 128, 768)

    private func layer(hasBias: Bool, _ dtype: DType = .bfloat16) throws -> Linear {
        Linear(
            path: "query",
            weight: try .seeded([Self.d, Self.k], seed: 1, deviation: 0.05, dtype: .bfloat16)
                .to(dtype),
            bias: hasBias
                ? try .seeded([Self.d], seed: 2, deviation: 0.1, dtype: .bfloat16).to(dtype) : nil)
    }

    private func input() throws -> Tensor {
        try .seeded([Self.tokens, Self.k], seed: 3, dtype: .bfloat16)
    }

    /// Moves the tensor of a row until the change has a size.
    private func move(
        _ adapter: any WeightChange, _ row: Row, for layer: Linear, to size: Double
    ) throws {
        guard let tensor = adapter.parameters.first(where: { $0.name == row.tensor })?.value else {
            Issue.record("\(row.testDescription) has no \(row.tensor)")
            return
        }
        let start = row.countsFromStart ? try tensor.cloned() : try .zeros(like: tensor)
        let direction = try Tensor.seeded(tensor.shape, seed: 7, deviation: 0.05)
        try tensor.copy(from: start + direction)
        let norm = try adapter.weightUpdate(for: layer).norm().item()
        let wanted = try size * layer.weight.value.to(.float32).norm().item()
        try tensor.copy(from: start + direction * (wanted / norm))
    }

    private func share(_ change: Tensor, of right: Tensor) throws -> Double {
        let right = try right.to(.float64)
        return try (change.to(.float64) * right).sum().item() / right.squared().sum().item()
    }

    private func fresh(_ row: Row, for layer: Linear) throws -> any WeightChange {
        let parts = try row.method.makeAdapters(for: [layer], using: Generator(seed: 4))
        try withoutGradient {
            try (row.method as? any CalibratedMethod)?.calibrate(parts.placed) {
                _ = try layer(input())
            }
        }
        return try #require(parts.placed.first?.part as? any WeightChange)
    }

    /// The share that arrives, and the one that arrives by PEFT's arithmetic.
    private func shares(
        _ row: Row, size: Double, hasBias: Bool
    ) throws -> (found: Double, peft: Double) {
        let (layer, x) = (try layer(hasBias: hasBias), try input())
        let adapter = try fresh(row, for: layer)
        let base = try layer.frozen(x)
        return try withoutGradient {
            try move(adapter, row, for: layer, to: size)
            let right = try x.to(.float32).linear(adapter.weightUpdate(for: layer))
            let rounded = try (base.to(.float32) + right).to(.bfloat16)
            func change(_ output: Tensor) throws -> Tensor {
                try output.to(.float32) - base.to(.float32)
            }
            let output = try adapter(x, through: layer, mode: .inference)
            return (try share(change(output), of: right), try share(change(rounded), of: right))
        }
    }

    @Test(
        "A small change of a weight arrives in bfloat16, or as much of it as by PEFT's arithmetic",
        arguments: rows, [true, false])
    func arrival(_ row: Row, hasBias: Bool) throws {
        var found: [String] = []
        for size in Self.sizes {
            let (share, peft) = try shares(row, size: size, hasBias: hasBias)
            found.append(String(format: "%.2f (%.2f)", share, peft))
            // A bias is added to a rounded sum, whose ties add to what is compared where that is smallest.
            let allowed = hasBias && size < 1e-3 ? 0.25 : 0.08
            if row.isPath {
                #expect(share > peft - 0.08, "\(size): \(share), \(peft)")
            } else {
                #expect(abs(share - 1) < allowed, "\(size): \(share)")
            }
            #expect(share < 1 + allowed)
        }
        let name = row.testDescription + (hasBias ? ", with bias" : "")
        print("arrives in bfloat16: \(name): \(found.joined(separator: "  "))")
    }
}
