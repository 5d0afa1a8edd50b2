import DualModules
import DualTorch
import Foundation

/// Several adapters of one model, by name: which of them act, and how much.
///
///     let adapters = NamedAdapters(of: model.slots)
///     try adapters.load(folder, as: "french")
///     try adapters.activate("french")
public final class NamedAdapters {
    /// An adapter, and what its changes are multiplied by.
    private typealias Weighted = (set: AdapterSet, weight: Double)

    private let slots: AdapterSlots
    private var sets: [(name: String, set: AdapterSet)] = []
    /// The adapters that act, and what their changes are multiplied by.
    public private(set) var active: [(name: String, weight: Double)] = []
    /// The weights of layers that are merged, as they were.
    private var originals: [(layer: Linear, weight: StoredWeight, bias: StoredWeight?)] = []
    /// The embeddings and the head, where they are merged.
    private var mergedEnds: MergedEnds?

    public init(of slots: AdapterSlots) { self.slots = slots }

    public var names: [String] { sets.map(\.name) }

    /// Whether the changes of what acts are in the weights now.
    public var isMerged: Bool { mergedEnds != nil }

    /// - Throws: ``AdapterError/noSuchAdapter(name:known:)``.
    public subscript(name: String) -> AdapterSet {
        get throws {
            guard let entry = sets.first(where: { $0.name == name }) else {
                throw AdapterError.noSuchAdapter(name: name, known: names)
            }
            return entry.set
        }
    }

    /// Takes an adapter that was made for the model; it acts when it is activated.
    /// - Throws: ``AdapterError/nameTaken(_:)``.
    public func add(_ set: AdapterSet, as name: String) throws {
        set.remove()
        guard !names.contains(name) else { throw AdapterError.nameTaken(name) }
        sets.append((name, set))
    }

    /// Reads a saved adapter; those that act go on acting.
    /// - Throws: as ``AdapterFolder`` does, ``AdapterError/nameTaken(_:)``.
    public func load(_ folder: URL, as name: String) throws {
        try load(AdapterFolder(folder), as: name)
    }

    public func load(_ folder: AdapterFolder, as name: String) throws {
        guard !names.contains(name) else { throw AdapterError.nameTaken(name) }
        let before = active
        // The adapter remembers the model's own weights, not those that another brings.
        disable()
        let result = Result { try folder.load(for: slots) }
        try activate(before)
        sets.append((name, try result.get()))
    }

    /// Removes an adapter from the list; if it acts, all are disabled.
    public func forget(_ name: String) throws {
        _ = try self[name]
        if active.contains(where: { $0.name == name }) { disable() }
        sets.removeAll { $0.name == name }
    }

    /// One adapter acts, as it is.
    public func activate(_ name: String) throws { try activate([(name, 1)]) }

    /// The changes of several adapters act together, each multiplied by a weight: W + Σ wᵢ ΔWᵢ.
    /// - Throws: ``AdapterError/doesNotMerge(method:)`` for more than one adapter, or a weight other
    ///   than 1, where a change is none of the weights; ``AdapterError/savedTwice(name:)`` where two
    ///   bring a weight of their own in the same place.
    public func activate(_ chosen: [(name: String, weight: Double)]) throws {
        let adapters = try chosen.map { (set: try self[$0.name], weight: $0.weight) }
        if !isPlain(adapters) { try check(adapters.map(\.set)) }
        disable()
        putIn(adapters)
        active = chosen
    }

    /// Whether it is one adapter, as it is.
    private func isPlain(_ adapters: [Weighted]) -> Bool {
        adapters.count == 1 && adapters[0].weight == 1
    }

    /// Checks that adapters can act together.
    private func check(_ sets: [AdapterSet]) throws {
        var saved: Set<String> = []
        for set in sets {
            try set.checkMerges()
            let names = set.savedParameters.map(\.name) + set.tokenParts.map { $0.path + "weight" }
            for name in names where !saved.insert(name).inserted {
                throw AdapterError.savedTwice(name: name)
            }
        }
        for set in sets {
            for part in set.parts where saved.contains(part.path + "weight") {
                let isOwn = set.savedParameters.contains { $0.name == part.path + "weight" }
                if !isOwn { throw AdapterError.savedTwice(name: part.path + "weight") }
            }
        }
    }

    private func putIn(_ adapters: [Weighted]) {
        if isPlain(adapters) { return adapters[0].set.putIn() }
        for layer in linears {
            let changes = adapters.flatMap { set, weight in
                set.parts.compactMap(\.weightChange).filter { $0.layer === layer }
                    .map { (change: $0.change, weight: weight) }
            }
            if !changes.isEmpty { layer.adapter = WeightedChanges(changes) }
        }
        for embedding in slots.embeddings {
            let changes = adapters.flatMap { set, weight in
                set.parts.compactMap { part -> (change: any EmbeddingChange, weight: Double)? in
                    guard case .embedding(let own, let change as any EmbeddingChange) = part,
                        own === embedding
                    else { return nil }
                    return (change, weight)
                }
            }
            if !changes.isEmpty { embedding.adapter = WeightedEmbeddingChanges(changes) }
        }
        for (set, _) in adapters {
            for part in set.tokenParts { part.putIn() }
            set.putInSaved()
        }
    }

    /// The linear layers, and the head of a language model.
    private var linears: [Linear] { slots.linears + (slots.head.map { [$0] } ?? []) }

    /// No adapter acts; the model is what it was, bit for bit.
    public func disable() {
        unmerge()
        for (name, _) in active { sets.first { $0.name == name }?.set.remove() }
        for layer in linears where layer.adapter is WeightedChanges { layer.adapter = nil }
        for embedding in slots.embeddings where embedding.adapter is WeightedEmbeddingChanges {
            embedding.adapter = nil
        }
        active = []
    }

    /// - Throws: ``AdapterError/doesNotMerge(method:)`` where a change of what acts is none of weights.
    public func checkMerges() throws {
        for (name, _) in active { try self[name].checkMerges() }
    }

    /// Puts the changes of what acts into the weights: forward passes then cost what the model's own do.
    ///
    /// The weights as they were are kept for ``unmerge()``; those that are mapped from a file take no
    /// memory for it.
    /// - Throws: ``AdapterError/doesNotMerge(method:)``.
    public func merge() throws { try merge(as: nil) { _ in } }

    /// The same without a way back: the weights as they were are given up.
    /// - Parameter dtype: of the merged weights; nil for that of each as it was.
    /// - Returns: what rounding to that type loses of each change: of the layers in the model's order, then
    ///   of the embeddings and the head.
    @discardableResult
    public func mergeForGood(as dtype: DType? = nil) throws -> [ChangeLoss] {
        var losses: [ChangeLoss] = []
        try merge(as: dtype) { losses.append(try $0()) }
        (originals, mergedEnds) = ([], nil)
        active = []
        return losses
    }

    /// - Parameter measure: gets what measures a merged weight, for every one, before anything is merged.
    private func merge(as dtype: DType?, measure: (() throws -> ChangeLoss) throws -> Void) throws {
        try checkMerges()
        var merged: [(layer: Linear, weight: Tensor, bias: Tensor?)] = []
        for layer in slots.linears where layer.adapter != nil {
            let weight = try layer.mergedWeight(as: dtype)
            try measure { try layer.roundingLoss(of: weight) }
            merged.append((layer, weight, try layer.mergedBias()))
        }
        let ends = try MergedEnds(of: slots, as: dtype)
        for (embedding, weight) in ends.mergedEmbeddings {
            try measure { try embedding.roundingLoss(of: weight) }
        }
        if let (head, weight) = ends.mergedHead {
            try measure { try head.roundingLoss(of: weight) }
        }
        ends.putIn()
        mergedEnds = merged.isEmpty && ends.isEmpty ? nil : ends
        for (layer, weight, bias) in merged {
            originals.append((layer, layer.weight.stored, layer.bias?.stored))
            layer.weight.stored = .plain(weight)
            if let bias { layer.bias?.stored = .plain(bias) }
            layer.adapter = nil
        }
    }

    /// Puts the weights back, bit for bit, and the adapters into their slots.
    public func unmerge() {
        guard let mergedEnds else { return }
        mergedEnds.takeOut()
        for (layer, weight, bias) in originals {
            layer.weight.stored = weight
            if let bias { layer.bias?.stored = bias }
        }
        (originals, self.mergedEnds) = ([], nil)
        putIn(
            active.compactMap { name, weight in
                sets.first { $0.name == name }.map { (set: $0.set, weight: weight) }
            })
    }
}
