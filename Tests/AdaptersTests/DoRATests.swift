import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about DoRA.
@Suite struct DoRATests {
    /// A layer of 9 x 8 and its adapter, moved from its start, in float64.
    private func moved(scale: Double = 1.5, dropout: Double = 0) throws -> (Linear, DoRALayer) {
        let base = Linear(
            path: "x", weight: try .seeded([9, 8], seed: 3, dtype: .float64),
            bias: try .seeded([9], seed: 4, dtype: .float64))
        let lora = LoRALayer(
            down: try .seeded([3, 8], seed: 5, dtype: .float64),
            up: try .seeded([9, 3], seed: 6, dtype: .float64), scale: scale, dropout: dropout)
        return (
            base, DoRALayer(lora, magnitude: try .seeded([9], seed: 7, dtype: .float64))
        )
    }

    private func input() throws -> Tensor { try .seeded([2, 4, 8], seed: 8, dtype: .float64) }

    @Test("m starts at the norms of the weight's rows, in float32 too")
    func start() throws {
        let weight = try Tensor.seeded([300, 40], seed: 1)
        let base = Linear(path: "x", weight: weight)
        let parameters = try DoRA(LoRA(rank: 2)).makeAdapter(for: base, using: Generator(seed: 1))
            .parameters
        #expect(
            parameters.map(\.name) == ["lora_A.weight", "lora_B.weight", "lora_magnitude_vector"])
        let values: [Double] = try weight.array()
        let found: [Double] = try parameters[2].value.array()
        for row in 0..<300 {
            let squares = values[(40 * row)..<(40 * row + 40)].map { $0 * $0 }
            let norm = squares.reduce(0, +).squareRoot()
            #expect(abs(found[row] / norm - 1) < 1e-6)
        }
    }

    @Test("Every row of the merged weight has the length m, and the direction of W₀ + s B A")
    func merged() throws {
        let (base, adapter) = try moved()
        let merged = try PlainMatrix(adapter.updatedWeight(for: base))
        let weight = try PlainMatrix(base.weight.value)
        let product = try PlainMatrix(adapter.lora.up) * PlainMatrix(adapter.lora.down)
        let direction = weight.combined(product) { $0 + 1.5 * $1 }
        let lengths: [Double] = try adapter.magnitude.array()
        for row in 0..<9 {
            let norm = (0..<8).map { direction[row, $0] * direction[row, $0] }
                .reduce(0, +).squareRoot()
            for column in 0..<8 {
                let expected = lengths[row] / norm * direction[row, column]
                #expect(abs(merged[row, column] - expected) < 1e-12)
            }
        }
    }

    @Test("Twice the magnitude gives twice the output but for the bias")
    func doubledMagnitude() throws {
        let (base, adapter) = try moved()
        let (x, bias) = (try input(), try #require(base.bias).value)
        let once = try adapter(x, through: base, mode: .inference) - bias
        let doubled = DoRALayer(adapter.lora, magnitude: try adapter.magnitude * 2)
        let twice = try doubled(x, through: base, mode: .inference) - bias
        #expect(try twice.isClose(to: once * 2, absolute: 1e-12))
        #expect(try once.norm().item() > 1)
    }

    @Test("With dropout what W₀ gives is scaled for the dropped input, and the bias never")
    func dropout() throws {
        let (base, adapter) = try moved(dropout: 0.4)
        let x = try input()
        let dropped = try x.dropout(probability: 0.4, using: Generator(seed: 2))
        let norm = try (base.weight.value + adapter.lora.weightUpdate(for: base)).rowNorms()
        let factors = try adapter.magnitude / norm
        let path = try dropped.linear(adapter.lora.down).linear(adapter.lora.up) * 1.5
        let expected =
            try base.frozen(x) + (factors - 1) * dropped.linear(base.weight.value)
            + factors * path
        let found = try adapter(x, through: base, mode: .training(Generator(seed: 2)))
        #expect(try found.isClose(to: expected, absolute: 1e-12))
        #expect(try dropped.largestDifference(to: x) > 0.1)
    }

    /// The gradients at A, B and m: as the layer gives them, as finite differences of the output with the
    /// norm held, and as autograd does with the norm a function of A and B.
    @Test("The norm counts as constant in the gradients")
    func detachedNorm() throws {
        let (base, adapter) = try moved()
        let (x, seed) = (try input(), try Tensor.seeded([2, 4, 9], seed: 9, dtype: .float64))
        let leaves = try adapter.parameters.map { try $0.value.requireGradient() }
        let found = try adapter(x, through: base, mode: .inference).gradients(
            with: leaves, seed: seed)
        func direction() throws -> Tensor {
            try base.weight.value + adapter.lora.weightUpdate(for: base)
        }
        func output(norm: Tensor) throws -> Tensor {
            try x.linear((adapter.magnitude / norm).expandedDimension(at: 1) * direction())
        }
        let held = try direction().detached().rowNorms()
        for (leaf, gradient) in zip(leaves, found) {
            let gradient: [Double] = try #require(gradient).array()
            let flat = try leaf.detached().reshaped(-1)
            for index in gradient.indices {
                let element = try flat.slice(index..<(index + 1))
                let value = try element.item()
                let losses = try [1e-6, -1e-6].map { step in
                    try element.copy(from: Tensor([value + step]))
                    return try withoutGradient { try (output(norm: held) * seed).sum().item() }
                }
                try element.copy(from: Tensor([value]))
                let slope = (losses[0] - losses[1]) / 2e-6
                #expect(abs(slope - gradient[index]) < 1e-6 * max(1, abs(slope)))
            }
        }
        let whole = try output(norm: direction().rowNorms()).gradients(with: leaves, seed: seed)
        for place in 0..<2 {
            let (found, whole) = (try #require(found[place]), try #require(whole[place]))
            #expect(try found.largestDifference(to: whole) > 0.1)
        }
    }

    @Test("A base that trains has diag(m / n) G as its gradient, and its norms are those of now")
    func trainableBase() throws {
        let (base, adapter) = try moved()
        let (x, seed) = (try input(), try Tensor.seeded([2, 4, 9], seed: 9, dtype: .float64))
        let weight = try base.weight.value.requireGradient()
        for _ in 0..<2 {
            let norm = try (weight.detached() + adapter.lora.weightUpdate(for: base)).rowNorms()
            let factors = try (adapter.magnitude / norm).expandedDimension(at: 1)
            let output = try adapter(x, through: base, mode: .training(Generator(seed: 1)))
            let found = try #require(output.gradients(with: [weight], seed: seed)[0])
            let plain = try seed.reshaped(-1, 9).transposed().matmul(x.reshaped(-1, 8))
            #expect(try found.isClose(to: factors * plain, absolute: 1e-10))
            try withoutGradient { _ = try weight.add(found, times: 0.1) }
        }
    }

    // MARK: - Norms without the matrix

    /// The norms and what they are directly, in float64.
    private func norms(
        _ weight: Tensor, scale: Double, _ up: Tensor, _ down: Tensor
    ) throws -> (found: Tensor, direct: Tensor) {
        let found = try AdaptedRowNorms().norms(
            .plain(weight), down: down, up: up, scale: scale)
        let change = try scale * up.to(.float64).matmul(down.to(.float64))
        return (found, try (weight.to(.float64) + change).rowNorms())
    }

    @Test(
        "The factorised norms are the direct ones to 1e-5",
        arguments: [DType.float32, .bfloat16], [0.001, 0.1, 3.0])
    func factorisedNorms(_ dtype: DType, _ size: Double) throws {
        for (d, k, r) in [(1, 1, 1), (7, 5, 2), (300, 700, 16), (65, 64, 40)] {
            for isTransposed in [false, true] {
                let shape = isTransposed ? [k, d] : [d, k]
                let stored = try Tensor.seeded(shape, seed: 1, deviation: 0.1, dtype: dtype)
                let weight = isTransposed ? try stored.transposed() : stored
                let (found, direct) = try norms(
                    weight, scale: 2, .seeded([d, r], seed: 2, deviation: size),
                    .seeded([r, k], seed: 3))
                #expect(found.dtype == .float32)
                #expect(try (found.to(.float64) / direct - 1).magnitude().maximum().item() < 1e-5)
            }
        }
    }

    @Test("So they are where the update all but takes rows away")
    func cancelledNorms() throws {
        let (up, down) = (try Tensor.seeded([6, 3], seed: 2), try Tensor.seeded([3, 50], seed: 3))
        for remainder in [1e-1, 1e-2, 1e-3, 1e-4] {
            let rest = try Tensor.seeded([6, 50], seed: 4, deviation: remainder)
            let (found, direct) = try norms(rest - up.matmul(down), scale: 1, up, down)
            // What float32 loses in W₀ itself is no error of the norm.
            let allowed = 1e-5 + 2e-7 / remainder
            #expect(try (found.to(.float64) / direct - 1).magnitude().maximum().item() < allowed)
        }
    }

    @Test("Norms follow A, B and a new weight, however they are changed, and are else kept")
    func cachedNorms() throws {
        let base = Linear(path: "x", weight: try .seeded([9, 8], seed: 1))
        let (down, up) = (try Tensor.seeded([2, 8], seed: 2), try Tensor.seeded([9, 2], seed: 3))
        let norms = AdaptedRowNorms()
        func now() throws -> Tensor {
            try norms.norms(base.weight.stored, down: down, up: up, scale: 1)
        }
        func direct() throws -> Tensor { try (base.weight.value + up.matmul(down)).rowNorms() }
        let first = try now()
        #expect(try now() === first)
        for change in [
            { try down.multiply(by: 2) }, { try up.slice(3..<4).multiply(by: -1) },
        ] {
            _ = try change()
            #expect(try now().isClose(to: direct(), absolute: 1e-5))
        }
        // As the optimizer's kernel does, which leaves no trace of its writing.
        try up.withBytes {
            let memory = UnsafeMutableRawPointer(mutating: try #require($0.baseAddress))
            memory.storeBytes(of: 5, as: Float.self)
        }
        #expect(try now().isClose(to: direct(), absolute: 1e-5))
        base.weight.stored = .plain(try .seeded([9, 8], seed: 4))
        #expect(try now().isClose(to: direct(), absolute: 1e-5))
    }

    @Test("A weight that a merge has replaced is gone, though the adapter is still there")
    func mergedWeight() throws {
        let base = Linear(path: "x", weight: try .seeded([9, 8], seed: 1))
        let adapter = try DoRA(LoRA(rank: 2)).makeAdapter(for: base, using: Generator(seed: 1))
        base.adapter = adapter
        _ = try base(.seeded([3, 8], seed: 2))
        weak let weight = try base.weight.value
        #expect(weight != nil)
        try base.mergeAdapter()
        #expect(weight == nil)
        withExtendedLifetime(adapter) {}
    }

    @Test("A row of zeros gives the bias, and no number that is none")
    func zeroRow() throws {
        let weight = try Tensor.seeded([7, 5], seed: 1)
        try weight.slice(2..<3).multiply(by: 0)
        let bias = try Tensor.seeded([7], seed: 2)
        let base = Linear(path: "x", weight: weight, bias: bias)
        let adapter = try #require(
            try DoRA(LoRA(rank: 2)).makeAdapter(for: base, using: Generator(seed: 1))
                as? any WeightChange)
        let leaves = try adapter.parameters.map { try $0.value.requireGradient() }
        let x = try AdapterCase.input()
        let output = try adapter(x, through: base, mode: .training(Generator(seed: 1)))
        #expect(try output.isClose(to: base.frozen(x), absolute: 1e-5))
        #expect(try adapter.updatedWeight(for: base).isClose(to: weight, absolute: 1e-6))
        for gradient in try output.sum().gradients(with: leaves) {
            #expect(try #require(gradient).isFinite().logicalNot().indices().isEmpty)
        }
    }

    #if os(Linux)
        // In a process of its own: the memory is everyone's.
        @Test("A step keeps nothing of the weight's size")
        func memory() async {
            await #expect(processExitsWith: .success) {
                let (outputSize, inputSize) = (2000, 1500)
                let base = Linear(
                    path: "x", weight: try .seeded([outputSize, inputSize], seed: 1))
                let adapter = try DoRA(LoRA(rank: 2)).makeAdapter(
                    for: base, using: Generator(seed: 1))
                for (_, value) in adapter.parameters { try value.requireGradient() }
                let x = try Tensor.seeded([3, inputSize], seed: 2).requireGradient()
                func run() throws -> Tensor {
                    try adapter(x, through: base, mode: .training(Generator(seed: 1)))
                }
                var outputs = [try run()]
                let before = try residentBytes()
                for _ in 0..<20 { outputs.append(try run()) }
                let weight = outputSize * inputSize * 4
                #expect(try residentBytes() - before < 4 * weight)
                #expect(outputs.count == 21)
            }
        }
    #endif
}

extension Tensor {
    /// Numbers of the true elements.
    fileprivate func indices() throws -> [Double] {
        try reshaped(-1).indicesOfTrue().array()
    }
}
