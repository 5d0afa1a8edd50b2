import DualModules
import DualTorch

/// What a method makes for a whole model: a part for each slot that it changes, and the tensors that
/// these share.
public struct AdapterParts {
    /// In the model's order.
    public let placed: [PlacedPart]
    /// Frozen tensors that several parts read; a file has them once, as `base_model.` and the name.
    public let shared: [(name: String, value: Tensor)]
    /// Whether a file has the shared tensors; if not, they come from a seed, whatever the file says.
    public let savesShared: Bool
    /// Whether a file that should have the shared tensors and does not is refused; if not, they come
    /// from the seed.
    public let needsShared: Bool

    /// - Parameter placed: the parts, which share nothing unless tensors are given.
    public init(
        _ placed: [PlacedPart], shared: [(name: String, value: Tensor)] = [],
        savesShared: Bool = true, needsShared: Bool = true
    ) {
        self.placed = placed
        self.shared = shared
        self.savesShared = savesShared
        self.needsShared = needsShared
    }

    /// The same with more parts behind the others.
    func adding(_ more: [PlacedPart]) -> AdapterParts {
        AdapterParts(
            placed + more, shared: shared, savesShared: savesShared, needsShared: needsShared)
    }
}
