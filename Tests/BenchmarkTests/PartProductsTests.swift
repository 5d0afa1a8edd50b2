import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters
@testable import DualBenchmark

/// What every method says of its own products, against the multiplications of its equations. The sections
/// are those of the methods' papers' formulas as they are counted by hand.
@Suite struct PartProductsTests {
    static let (d, k, T, r) = (40, 24, 17, 6)

    /// A method, and its multiplications for one layer of d x k.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: any LinearAdapterMethod
        let expected: Int
        /// Of those, what only the gradient at the layer's input needs.
        let atInput: Int

        init(_ method: any LinearAdapterMethod, as text: String = "", _ expected: Int, atInput: Int)
        {
            testDescription = "\(type(of: method).facts.name) \(text)"
            self.method = method
            (self.expected, self.atInput) = (expected, atInput)
        }
    }

    static let rows: [Row] = {
        // U = x Aᵀ and U Bᵀ; ∂B = δᵀ U, δ B, ∂A = (δ B)ᵀ x; (δ B) A.
        let path = 3 * T * r * (d + k)
        // G = δᵀ x.
        let whole = T * d * k
        // B A for the output; ∂A = Bᵀ Q, ∂B = Q Aᵀ; B A again.
        let formed = d * k * r
        var turned = MoRA(rank: r)
        turned.kind = .rotated
        var (serial, behind) = (AdapterP(bottleneck: r), AdapterP(bottleneck: r))
        (serial.place, behind.place) = (.serialInput, .serialOutput)
        func side(_ kind: SquareFolding.Kind) -> Int {
            SquareFolding.side(kind, rank: r, outputSize: d, inputSize: k)
        }
        let chunks = (k + side(.rotated) - 1) / side(.rotated)
        var rows: [Row] = []
        rows.append(Row(LoRA(rank: r), path, atInput: T * r * k))
        rows.append(Row(LoRAPlus(LoRA(rank: r)), path, atInput: T * r * k))
        // n² of W₀ Aᵀ, A Aᵀ and B (A Aᵀ).
        rows.append(
            Row(DoRA(LoRA(rank: r)), path + d * k * r + k * r * r + d * r * r, atInput: T * r * k))
        // B E, and the gradients at both.
        rows.append(Row(FLoRA(rank: r), path + 3 * d * r * r, atInput: T * r * k))
        rows.append(
            Row(
                CorDA(rank: r), as: "with what it began with", path + 2 * T * r * (d + k),
                atInput: T * r * k + T * r * (d + k)))
        rows.append(Row(DeltaLoRA(rank: r), path, atInput: T * r * k))
        // A x, B (e ⊙ A x); Bᵀ (b ⊙ δ), and what ∂b is the sums of; the way back through A.
        rows.append(Row(VeRA(rank: r), T * r * (2 * k + 3 * d), atInput: T * r * k))
        rows.append(
            Row(
                MoRA(rank: r), 3 * T * side(.chunks) * side(.chunks),
                atInput: T * side(.chunks) * side(.chunks)))
        rows.append(
            Row(
                turned, as: "of turned chunks", 3 * T * chunks * side(.rotated) * side(.rotated),
                atInput: T * chunks * side(.rotated) * side(.rotated)))
        rows.append(Row(HiRA(rank: r), whole + 4 * formed, atInput: formed))
        rows.append(
            Row(
                DualLoRA(magnitudeRank: r, directionRank: 2), whole + 4 * d * k * (r + 2),
                atInput: d * k * (r + 2)))
        rows.append(
            Row(
                DualLoRA(magnitudeRank: r, variant: DualLoRAVariant(direction: .fixed)),
                as: "with a fixed direction", whole + 4 * formed, atInput: formed))
        rows.append(
            Row(
                DualLoRA(magnitudeRank: r, directionRank: 2, warmup: .subtractStart),
                as: "less its start", whole + 6 * d * k * (r + 2), atInput: 2 * d * k * (r + 2)))
        rows.append(Row(AdapterP(bottleneck: r), path, atInput: T * r * k))
        rows.append(Row(serial, as: "before", 6 * T * r * k, atInput: T * r * k - T * d * k))
        rows.append(Row(behind, as: "behind", 6 * T * r * d, atInput: T * r * d))
        return rows
    }()

    private func products(
        _ method: any LinearAdapterMethod, d: Int = d, k: Int = k, rows: Int = T,
        atInput: Bool = true
    ) throws -> Int {
        let layer = Linear(path: "x", weight: try .seeded([d, k], seed: 1))
        let adapter = try method.makeAdapter(for: layer, using: Generator(seed: 1))
        let step = PartStep(rows: rows, outputSize: d, inputSize: k, atInput: atInput)
        return step.products(of: adapter).reduce(0) { $0 + $1.multiplyAdds }
    }

    @Test("An adapter's products are those of its equations", arguments: rows)
    func equations(_ row: Row) throws {
        #expect(try products(row.method) == row.expected)
        #expect(try products(row.method, atInput: false) == row.expected - row.atInput)
    }

    @Test("Every method that changes linear layers is among them")
    func everyMethod() {
        let named = Set(Self.rows.map { type(of: $0.method).facts.name } + [RandLoRA.facts.name])
        for case let method as any LinearAdapterMethod.Type in MethodRegistry.builtIn {
            #expect(named.contains(method.facts.name))
        }
    }

    @Test("Every part of every adapter method says which products are its own")
    func everyPart() throws {
        for case let method as any AdapterMethod.Type in MethodRegistry.builtIn {
            let hasRank = method.options.contains { $0.name == "rank" }
            let set = try AdapterSet(
                method.init(hasRank ? ["rank": "2"] : [:]), of: TinyDecoder.all[0].make().slots,
                using: Generator(seed: 1))
            #expect(set.parts.allSatisfy { $0.part is any CountedProducts }, "\(method.facts.name)")
        }
    }

    @Test("Delta-LoRA has another path of its rank once the weight moves")
    func movingWeight() throws {
        let layer = Linear(path: "x", weight: try .seeded([Self.d, Self.k], seed: 1))
        let adapter = try #require(
            try DeltaLoRA(rank: Self.r, deltaStart: 1).makeAdapter(
                for: layer, using: Generator(seed: 1)) as? DeltaLoRALayer)
        adapter.prepare(TrainingProgress(step: 2, totalSteps: 5, warmupSteps: 0))
        let step = PartStep(rows: Self.T, outputSize: Self.d, inputSize: Self.k, atInput: true)
        #expect(
            adapter.products(of: step).reduce(0) { $0 + $1.multiplyAdds }
                == 5 * Self.T * Self.r * (Self.d + Self.k))
    }

    @Test("RandLoRA has those of the way that it takes", arguments: [(40, 24), (24, 40)])
    func randomBases(_ d: Int, _ k: Int) throws {
        let (p, q, r) = (40, 24, 7)
        let inner = 28  // ⌈24 / 7⌉ bases of rank 7
        // Many tokens: G, and ℬ F, ℬᵀ G, ℬ F again.
        #expect(
            try products(RandLoRA(rank: r), d: d, k: k, rows: 100)
                == 100 * p * q + 3 * inner * p * q)
        // Few: there and back through both, and the gradient at F.
        #expect(
            try products(RandLoRA(rank: r), d: d, k: k, rows: 3)
                == 3 * inner * (2 * (p + q) + q))
    }

    // MARK: - Beside whole blocks and models

    private func products(
        _ method: any AdapterMethod, _ model: any CausalModel, size: Int, atInput: Bool = true
    ) throws -> Int {
        let set = try AdapterSet(method, of: model.slots, using: Generator(seed: 1))
        let step = PartStep(
            rows: 14, sequences: 2, outputSize: size, inputSize: size, atInput: atInput)
        return set.parts.reduce(0) {
            $0 + step.products(of: $1.part).reduce(0) { $0 + $1.multiplyAdds }
        }
    }

    @Test("Adapters of blocks, prefixes and prompts have theirs")
    func blocks() throws {
        let model = try TinyDecoder.gpt2(dropout: 0).make()
        let (E, L) = (try #require(model.slots.blocks.first).hiddenSize, model.slots.blocks.count)
        #expect(try products(AdapterL(bottleneck: 5), model, size: E) == L * 6 * 14 * 5 * E)
        // Three tokens of each of two sequences: W h, R h, Rᵀ (...) there and back.
        let loreft = LoReFT(rank: 3, positions: EditedPositions(first: 2, last: 1))
        #expect(try products(loreft, model, size: E) == L * 9 * 6 * 3 * E)
        #expect(try products(loreft, model, size: E, atInput: false) == L * 7 * 6 * 3 * E)
        // Queries of all heads have E numbers: scores and values with V keys, there and back.
        #expect(try products(PrefixTuning(virtualTokens: 3), model, size: E) == L * 6 * 14 * E * 3)
        #expect(try products(PromptTuning(virtualTokens: 3), model, size: E) == 0)
        #expect(
            try products(PTuning(virtualTokens: 3, encoderSize: 5), model, size: E)
                == 3 * 3 * (E * 5 + 5 * 5 + 5 * E))
        // Two directions of four gates, of the input and of what came before.
        let recurrence = 2 * 4 * 5 * (E + 5)
        let perceptron = 10 * 10 + 10 * E
        #expect(
            try products(
                PTuning(virtualTokens: 3, encoder: .recurrence, encoderSize: 5, encoderLayers: 1),
                model, size: E) == 3 * 3 * (recurrence + perceptron))
    }
}
