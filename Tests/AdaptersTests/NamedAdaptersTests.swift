import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

/// Several adapters on one model.
@Suite struct NamedAdaptersTests {
    private let bert: Bert
    private let adapters: NamedAdapters
    private let batch: TokenBatch

    init() throws {
        bert = try Bert.tiny()
        batch = try TokenBatch.seeded(lengths: [6, 4])
        adapters = NamedAdapters(of: bert.slots)
        try adapters.add(set(LoRA(rank: 2), ["query", "value"], seed: 1), as: "one")
        try adapters.add(
            set(DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 0), ["query"], seed: 2),
            as: "two")
    }

    private func set(
        _ method: any AdapterMethod, _ targets: [String], saved: String? = nil, seed: UInt64
    ) throws -> AdapterSet {
        let set = try AdapterSet(
            method, targets: .names(targets), of: bert.slots,
            savedParameters: bert.parameters.filter { name in
                saved.map { name.name.hasPrefix($0) } ?? false
            }, using: Generator(seed: seed))
        try randomize(set, seed: 40 * seed)
        for saved in set.savedParameters { try saved.value.multiply(by: 2) }
        return set
    }

    private func hidden() throws -> Tensor {
        try withoutGradient { try bert.hiddenStates(batch, mode: .inference) }
    }

    /// The output with given weights in the place of the adapted layers' own.
    private func hidden(adding changes: [(name: String, weight: Double)]) throws -> Tensor {
        let other = try Bert.tiny()
        for (name, weight) in changes {
            for placed in try adapters[name].parts {
                let (layer, change) = try #require(placed.weightChange)
                let mine = try #require(other.linears.first { $0.path == layer.path })
                mine.weight.stored = try withoutGradient {
                    .plain(try mine.weight.value + weight * change.weightUpdate(for: layer))
                }
            }
        }
        return try withoutGradient { try other.hiddenStates(batch, mode: .inference) }
    }

    @Test("Adapters that are added do not act until they are activated, and none is left behind")
    func switching() throws {
        let base = try Bert.tiny().hiddenStates(batch, mode: .inference)
        #expect(adapters.names == ["one", "two"])
        #expect(try hidden().isIdentical(to: base))
        try adapters.activate("one")
        let one = try hidden()
        #expect(try one.isClose(to: hidden(adding: [("one", 1)]), absolute: 1e-5))
        try adapters.activate("two")
        #expect(try hidden().isClose(to: hidden(adding: [("two", 1)]), absolute: 1e-5))
        try adapters.activate("one")
        #expect(try hidden().isIdentical(to: one))
        adapters.disable()
        #expect(try hidden().isIdentical(to: base))
        #expect(adapters.active.isEmpty)
    }

    @Test(
        "Weighted adapters add up",
        arguments: [[1.0, 1.0], [0.7, -0.3], [2.0, 0.0]])
    func weights(_ weights: [Double]) throws {
        let chosen = zip(["one", "two"], weights).map { (name: $0, weight: $1) }
        try adapters.activate(chosen)
        let expected = try hidden(adding: chosen)
        #expect(try hidden().isClose(to: expected, absolute: 2e-5))
        try adapters.activate([("one", 0.5)])
        #expect(try hidden().isClose(to: hidden(adding: [("one", 0.5)]), absolute: 2e-5))
    }

    @Test(
        "Merging says the same, and unmerging brings every bit back",
        arguments: [[("one", 1.0)], [("one", 0.5), ("two", 2.0)]])
    func unmerging(_ chosen: [(String, Double)]) throws {
        let weights = try bert.parameters.map { try $0.value.cloned() }
        try adapters.activate(chosen.map { (name: $0.0, weight: $0.1) })
        let adapted = try hidden()
        try adapters.merge()
        #expect(adapters.isMerged)
        #expect(bert.linears.allSatisfy { $0.adapter == nil })
        #expect(try hidden().isClose(to: adapted, absolute: 2e-5))
        adapters.unmerge()
        #expect(try hidden().isIdentical(to: adapted))
        try adapters.merge()
        adapters.disable()
        for (parameter, weight) in zip(bert.parameters, weights) {
            #expect(try parameter.value.isIdentical(to: weight), "\(parameter.name)")
        }
    }

    private func headWeight() throws -> Tensor { try #require(bert.head).weight.value }

    @Test("An adapter's head goes with it")
    func savedModules() throws {
        let plain = try bert.logits(batch)
        try adapters.add(set(LoRA(rank: 2), ["key"], saved: "classifier", seed: 3), as: "headed")
        #expect(try bert.logits(batch).isIdentical(to: plain))
        let head = try headWeight().cloned()
        try adapters.activate("headed")
        #expect(try headWeight().isClose(to: head * 2, absolute: 1e-6))
        try adapters.activate("one")
        #expect(try headWeight().isIdentical(to: head))
    }

    @Test("An adapter that is loaded while another acts remembers the model's own weights")
    func loading() throws {
        let folder = try TemporaryFolder()
        let headed = try set(LoRA(rank: 2), ["key"], saved: "classifier", seed: 3)
        try AdapterFolder.write(headed, baseModel: "base", to: folder.url)
        try adapters.add(headed, as: "headed")
        try adapters.activate("headed")
        let acting = try bert.logits(batch)
        try adapters.load(folder.url, as: "loaded")
        #expect(try bert.logits(batch).isIdentical(to: acting))
        try adapters.activate("loaded")
        #expect(try bert.logits(batch).isClose(to: acting, absolute: 1e-6))
        adapters.disable()
        #expect(try bert.logits(batch).isIdentical(to: Bert.tiny().logits(batch)))
        let text = message { try adapters.activate([("headed", 1), ("loaded", 1)]) }
        #expect(text.hasPrefix("more than one of the adapters brings its own 'classifier."))
    }

    @Test("Names that are unknown or taken are refused, and a failed load leaves what acts acting")
    func names() throws {
        #expect(
            message { try adapters.activate("three") }
                == "there is no adapter 'three'; there are one, two")
        #expect(throws: AdapterError.nameTaken("one")) {
            try adapters.add(set(LoRA(rank: 1), ["key"], seed: 4), as: "one")
        }
        try adapters.activate("one")
        let one = try hidden()
        let folder = try TemporaryFolder()
        #expect(throws: AdapterError.self) { try adapters.load(folder.url, as: "three") }
        #expect(try hidden().isIdentical(to: one))
        try adapters.forget("one")
        #expect(adapters.names == ["two"])
        #expect(try hidden().isIdentical(to: Bert.tiny().hiddenStates(batch, mode: .inference)))
    }
}
