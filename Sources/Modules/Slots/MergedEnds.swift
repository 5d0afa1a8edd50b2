import DualTorch

/// The embeddings and the head of a model with what their adapters change in them, beside what they were.
///
/// A head that shares the embedding's weight gets one of its own where the two are not the same any more.
package struct MergedEnds {
    private let slots: AdapterSlots
    private let embeddings: [(embedding: Embedding, merged: Tensor, original: StoredWeight)]
    private let head: (layer: Linear, merged: Tensor, original: StoredWeight)?
    /// Whether the merge parts the head from the embedding.
    private let parts: Bool

    /// Forms the merged weights; the model is left as it is.
    /// - Parameter dtype: of the merged weights; nil for that of each as it was.
    /// - Throws: ``MergeObstacle``.
    package init(of slots: AdapterSlots, as dtype: DType? = nil) throws {
        self.slots = slots
        embeddings = try slots.embeddings.filter { $0.adapter != nil }.map {
            ($0, try $0.mergedWeight(as: dtype), $0.weight.stored)
        }
        let tied = slots.tiedHead.flatMap { $0.isApart ? nil : $0 }
        let shared = embeddings.first { $0.embedding.weight === tied?.embedding }
        guard let layer = slots.head, layer.adapter != nil || shared != nil else {
            (head, parts) = (nil, false)
            return
        }
        _ = try layer.mergedBias()
        let merged = try layer.mergedWeight(as: dtype)
        head = (layer, merged, layer.weight.stored)
        let sharedNow = try shared?.merged ?? layer.weight.value
        parts = try tied != nil && !merged.hasSameElements(as: sharedNow)
    }

    /// Whether no adapter changes any of them.
    package var isEmpty: Bool { embeddings.isEmpty && head == nil }

    /// The embeddings that change, and what their weights become.
    package var mergedEmbeddings: [(embedding: Embedding, weight: Tensor)] {
        embeddings.map { ($0.embedding, $0.merged) }
    }

    /// The head, and what its weight becomes, where that is a weight of its own.
    package var mergedHead: (layer: Linear, weight: Tensor)? {
        guard let head, parts || slots.tiedHead?.isApart ?? true else { return nil }
        return (head.layer, head.merged)
    }

    /// Puts the merged weights into the model and empties the slots.
    package func putIn() {
        for (embedding, merged, _) in embeddings {
            embedding.weight.stored = .plain(merged)
            embedding.adapter = nil
        }
        guard let head else { return }
        head.layer.adapter = nil
        if parts {
            slots.tiedHead?.part(headWeight: .plain(head.merged))
        } else if slots.tiedHead?.isApart ?? true {
            head.layer.weight.stored = .plain(head.merged)
        }
    }

    /// Puts the weights back, bit for bit; the slots stay empty.
    package func takeOut() {
        if let head {
            if parts { slots.tiedHead?.join() } else { head.layer.weight.stored = head.original }
        }
        for (embedding, _, original) in embeddings { embedding.weight.stored = original }
    }
}
