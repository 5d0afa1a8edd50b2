import DualModules

/// One part of an adapter, with the slot of the model that it is for.
public enum PlacedPart {
    case linear(Linear, any LinearAdapter)
    case embedding(Embedding, any EmbeddingAdapter)
    case block(BlockEnd, any BlockAdapter)
    case prefix(PrefixSlot, any KeyValuePrefix)
    case prompt(PromptSlot, any InputPrompt)

    public var part: any AdapterPart {
        switch self {
        case .linear(_, let part): part
        case .embedding(_, let part): part
        case .block(_, let part): part
        case .prefix(_, let part): part
        case .prompt(_, let part): part
        }
    }

    /// The linear layer, of a part that changes one.
    var layer: Linear? {
        if case .linear(let layer, _) = self { layer } else { nil }
    }

    /// The layer and the change of its weight, of a part that changes nothing else.
    var weightChange: (layer: Linear, change: any WeightChange)? {
        if case .linear(let layer, let change as any WeightChange) = self {
            (layer, change)
        } else {
            nil
        }
    }

    /// The path of the layer or embedding, of a part that a choice of targets placed.
    var targetPath: String? {
        switch self {
        case .linear(_, _ as TiedHeadLoRA): nil
        case .linear(let layer, _): layer.path
        case .embedding(let embedding, _): embedding.path
        case .block, .prefix, .prompt: nil
        }
    }

    /// Whether the part changes nothing but a weight.
    var isWeightChange: Bool {
        if case .embedding(_, let part) = self { return part is any EmbeddingChange }
        return weightChange != nil
    }

    /// The prefix of the names of the part's tensors: the path of its layer, embedding or block and a
    /// point; empty for the one part of a whole model.
    var path: String {
        switch self {
        case .linear(let layer, _): layer.path + "."
        case .embedding(let embedding, _): embedding.path + "."
        case .block(let block, _): block.path + "."
        case .prefix, .prompt: ""
        }
    }

    /// Whether the part is in its slot.
    var isIn: Bool {
        switch self {
        case .linear(let layer, let part): layer.adapter === part
        case .embedding(let embedding, let part): embedding.adapter === part
        case .block(let block, let part): block.adapter === part
        case .prefix(let slot, let part): slot.adapter === part
        case .prompt(let slot, let part): slot.adapter === part
        }
    }

    func putIn() { setSlot(isFull: true) }

    /// Empties the slot, if the part is in it.
    func takeOut() { if isIn { setSlot(isFull: false) } }

    private func setSlot(isFull: Bool) {
        switch self {
        case .linear(let layer, let part): layer.adapter = isFull ? part : nil
        case .embedding(let embedding, let part): embedding.adapter = isFull ? part : nil
        case .block(let block, let part): block.adapter = isFull ? part : nil
        case .prefix(let slot, let part): slot.adapter = isFull ? part : nil
        case .prompt(let slot, let part): slot.adapter = isFull ? part : nil
        }
    }
}
