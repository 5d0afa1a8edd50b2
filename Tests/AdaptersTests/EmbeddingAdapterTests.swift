import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// Adapters of embeddings and of a head, and rows of single tokens.
@Suite struct EmbeddingAdapterTests {
    private static let methods: [any EmbeddingAdapterMethod] = [
        LoRA(rank: 2), LoRAPlus(LoRA(rank: 2)), DoRA(LoRA(rank: 2)),
    ]

    private func ids() throws -> Tensor { try Tensor([3, 0, 3, 17, 5, 9]).reshaped(2, 3) }

    private func fill(_ tensors: [(name: String, value: Tensor)]) throws {
        for (index, (_, value)) in tensors.enumerated() {
            try value.copy(from: .seeded(value.shape, seed: 11 + UInt64(index)))
        }
    }

    @Test(
        "What is looked up is a row of the changed table, and its gradients are the definition's",
        arguments: methods.indices)
    func lookup(_ index: Int) throws {
        let embedding = try #require(TinyDecoder.all[0].make().slots.embeddings.first)
        let adapter = try Self.methods[index].makeAdapter(
            for: embedding, using: Generator(seed: 1))
        let change = try #require(adapter as? any EmbeddingChange)
        try fill(change.parameters)
        let leaves = try change.parameters.map { try $0.value.requireGradient() }
        let weight = try embedding.weight.value
        let defined = try (weight + change.weightUpdate(for: embedding)).embedding(ids())
        embedding.adapter = change
        let found = try embedding(ids())
        #expect(try found.isClose(to: defined, absolute: 1e-5))
        let merged = try embedding.mergedWeight().embedding(ids())
        #expect(try merged.isClose(to: found.detached(), absolute: 1e-5))
        let expected = try defined.squared().sum().gradients(with: leaves)
        for (mine, theirs) in zip(try found.squared().sum().gradients(with: leaves), expected) {
            #expect(try #require(mine).isClose(to: #require(theirs), absolute: 1e-4))
        }
    }

    @Test("Rows of tokens stand in the place of the model's, in the embedding and in the head")
    func tokenRows() throws {
        let model = try TinyDecoder.all[0].make()
        let (embedding, head) = (
            try #require(model.slots.embeddings.first), try #require(model.slots.head)
        )
        let set = try AdapterSet(
            LoRA(rank: 2), of: model.slots, tokens: [3, 17], using: Generator(seed: 1))
        #expect(
            set.tokenRows.map(\.name) == [
                "model.embed_tokens.token_adapter.trainable_tokens_delta",
                "lm_head.token_adapter.trainable_tokens_delta",
            ])
        let before = try embedding.frozen(ids())
        #expect(try embedding(ids()).hasSameElements(as: before))
        try fill(set.tokenRows)
        let x = try Tensor.seeded([2, 3, embedding.weight.stored.size(1)], seed: 5)
        let rows = try embedding.mergedWeight()
        #expect(try embedding(ids()).hasSameElements(as: rows.embedding(ids())))
        #expect(try rows.slice(3..<4).isClose(to: set.tokenRows[0].value.slice(0..<1), absolute: 0))
        #expect(try rows.slice(4..<17).hasSameElements(as: embedding.weight.value.slice(4..<17)))
        let logits = try head(x)
        #expect(try logits.isClose(to: x.projected(by: head.mergedWeight()), absolute: 1e-5))
        let leaves = try set.tokenRows.map { try $0.value.requireGradient() }
        let gradient = try #require(
            try embedding(ids()).sum().gradients(with: [leaves[0]]).first ?? nil)
        // Token 3 stands there twice, token 17 once.
        #expect(try gradient.sum(along: 1).array(of: Float.self) == [32, 16])
    }

    @Test("A merge parts a head from the embedding only where they differ, and is taken back whole")
    func tiedMerge() throws {
        let rows: [(targets: [String], tokens: [Int], parts: Bool)] = [
            (["q_proj", "lm_head"], [], true), (["embed_tokens"], [], true),
            (["q_proj"], [3, 17], false),
        ]
        for (targets, tokens, parts) in rows {
            let model = try TinyDecoder.all[1].make()
            let tied = try #require(model.slots.tiedHead)
            let set = try AdapterSet(
                LoRA(rank: 2), targets: .names(targets), of: model.slots, tokens: tokens,
                using: Generator(seed: 1))
            try fill(set.parameters + set.tokenRows)
            let batch = try TokenBatch([(ids: [3, 17, 5], typeIDs: [0, 0, 0])], paddingID: 0)
            let plain = try TinyDecoder.all[1].make().logits(batch)
            let adapters = NamedAdapters(of: model.slots)
            try adapters.add(set, as: "one")
            try adapters.activate("one")
            let adapted = try model.logits(batch)
            #expect(try adapted.largestDifference(to: plain) > 1e-3)
            try adapters.merge()
            #expect(tied.isApart == parts, "\(targets)")
            #expect(try model.logits(batch).isClose(to: adapted, absolute: 1e-4))
            adapters.unmerge()
            #expect(!tied.isApart)
            #expect(try model.logits(batch).hasSameElements(as: adapted))
            adapters.disable()
            #expect(try model.logits(batch).hasSameElements(as: plain))
        }
    }

    @Test("New rows are the mean of the others, and fewer rows are the first")
    func resizing() throws {
        for decoder in TinyDecoder.all {
            let model = try decoder.make()
            let words = try #require(model.slots.embeddings.first).weight
            let before = try words.value
            try model.resizeVocabulary(to: 43)
            #expect(words.stored.shape == [43, 16] && model.vocabularySize == 43)
            #expect(model.head?.outputSize == 43)
            #expect(try words.value.slice(0..<40).hasSameElements(as: before))
            let mean = try before.mean(along: 0).expanded([3, 16])
            #expect(try words.value.slice(40..<43).isClose(to: mean, absolute: 1e-6))
            try model.check(ids: [42])
            try model.resizeVocabulary(to: 7)
            #expect(try words.value.hasSameElements(as: before.slice(0..<7)))
        }
    }
}
