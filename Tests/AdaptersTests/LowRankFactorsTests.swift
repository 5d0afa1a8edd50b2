import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct LowRankFactorsTests {
    private let decoder: any CausalModel

    init() throws { decoder = try TinyDecoder.all[0].make() }

    /// A random adapter of the decoder.
    private func adapter(
        _ method: any AdapterMethod, on names: [String] = ["q_proj", "v_proj", "down_proj"]
    ) throws -> AdapterSet {
        let set = try AdapterSet(
            method, targets: .names(names), of: decoder.slots, using: Generator(seed: 1))
        for (index, parameter) in set.parameters.enumerated() {
            _ = try parameter.value.copy(
                from: .seeded(parameter.value.shape, seed: UInt64(index), deviation: 0.3))
        }
        return set
    }

    private func method(_ change: (inout LoRA) throws -> Void) throws -> LoRA {
        var lora = LoRA(rank: 4, alpha: 6)
        try change(&lora)
        return lora
    }

    @Test("The factors of a LoRA are its own, under its alpha")
    func plain() throws {
        let set = try adapter(LoRA(rank: 4, alpha: 6))
        let factors = try #require(try LowRankFactors(of: set))
        #expect(factors.alpha == 6 && factors.changes.count == set.parts.count)
        for (change, part) in zip(factors.changes, set.parts) {
            let lora = try #require(part.part as? LoRALayer)
            #expect(change.path + "." == part.path && change.rank == 4)
            #expect(try change.down.hasSameElements(as: lora.down))
            #expect(try change.up.hasSameElements(as: lora.up))
        }
        #expect(try factors.losses(of: set).allSatisfy { $0.norm > 0.1 && $0.error == 0 })
    }

    @Test("One alpha says the scales of all layers, whatever they are")
    func scales() throws {
        let methods: [(LoRA, alpha: Double)] = [
            (try method { $0.rankStabilized = true }, 12),
            // α is said of every rank, so that another one changes nothing.
            (try method { $0.ranks = LayerPattern([("v_proj", 7)]) }, 6),
            (try method { $0.alphas = LayerPattern([("v_proj", -2)]) }, 6),
            (
                try method {
                    $0.ranks = LayerPattern([("v_proj", 9)])
                    $0.rankStabilized = true
                }, 12
            ),
            // 0 would be no scale at all.
            (try method { $0.alphas = LayerPattern([("q_proj", 0), ("v_proj", 0)]) }, 6),
        ]
        for (method, alpha) in methods {
            let set = try adapter(method)
            let factors = try #require(try LowRankFactors(of: set))
            #expect(factors.alpha == alpha)
            for (change, part) in zip(factors.changes, set.parts) {
                let (layer, update) = try #require(part.weightChange)
                let expected = try update.weightUpdate(for: layer)
                let found =
                    try (alpha / Double(change.rank)) * change.up.matmul(change.down)
                #expect(try found.isClose(to: expected, absolute: 1e-6))
            }
            #expect(try factors.losses(of: set).lostShare < 1e-6)
            set.remove()
        }
        let still = try adapter(LoRA(rank: 4, alpha: 0))
        let factors = try #require(try LowRankFactors(of: still))
        #expect(factors.alpha == 1)
        #expect(try factors.changes.allSatisfy { try $0.up.magnitude().maximum().item() == 0 })
    }

    @Test("As an adapter the factors do what the LoRA does, its embedding's and head's too")
    func asAdapter() throws {
        let set = try adapter(LoRA(rank: 3), on: ["o_proj", "embed_tokens", "lm_head"])
        let batch = try TokenBatch(
            [(ids: [3, 1, 4, 1, 5], typeIDs: [0, 0, 0, 0, 0])], paddingID: 0)
        func hidden() throws -> Tensor { try decoder.hiddenStates(batch, mode: .inference) }
        let expected = try hidden()
        let factors = try #require(try LowRankFactors(of: set))
        set.takeOutParts()
        let converted = factors.adapter(like: set)
        converted.putIn()
        #expect(try hidden().isClose(to: expected, absolute: 1e-6))
        let losses = try factors.rounded(to: .bfloat16).losses(of: set)
        #expect(losses.allSatisfy { 1e-4 < $0.share && $0.share < 1e-2 })
    }

    @Test("What is more than factors, or other, has none")
    func others() throws {
        let biased = try method { $0.hasBias = true }
        let dual = DualLoRA(magnitudeRank: 2, directionRank: 2)
        for method: any AdapterMethod in [DoRA(LoRA(rank: 2)), dual, HiRA(rank: 2), biased] {
            let set = try adapter(method)
            #expect(try LowRankFactors(of: set) == nil)
            set.remove()
        }
    }
}
