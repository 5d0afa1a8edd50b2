import DualModules
import DualTorch

/// A method that changes linear layers, each by an adapter of its own.
public protocol LinearAdapterMethod: AdapterMethod {
    /// A fresh adapter for one layer; its numbers come from `generator` alone.
    func makeAdapter(for base: Linear, using generator: Generator) throws -> any LinearAdapter

    /// Adapters for all layers, for methods whose layers share something.
    func makeAdapters(for layers: [Linear], using generator: Generator) throws -> AdapterParts
}

extension LinearAdapterMethod {
    public func makeAdapters(
        for layers: [Linear], using generator: Generator
    ) throws -> AdapterParts {
        AdapterParts(
            try layers.map { .linear($0, try makeAdapter(for: $0, using: generator)) })
    }

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        let chosen = try targets.standing(for: standardTargets).choice(of: slots)
        let layers =
            try chosen.linears.isEmpty
            ? AdapterParts([]) : makeAdapters(for: chosen.linears, using: generator)
        guard let first = chosen.embeddings.first else { return layers }
        guard let method = self as? any EmbeddingAdapterMethod else {
            throw AdapterError.embeddingTarget(name: first.path, method: Self.facts.name)
        }
        let embeddings = try chosen.embeddings.map { embedding in
            PlacedPart.embedding(
                embedding, try method.makeAdapter(for: embedding, using: generator))
        }
        return layers.adding(embeddings)
    }
}
