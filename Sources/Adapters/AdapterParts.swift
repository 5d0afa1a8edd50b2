import DualModules
import DualTorch

/// The parts of one adapter of a whole model.
public struct AdapterParts {
    /// In the model's order.
    public let placed: [PlacedPart]
    /// Frozen tensors that parts share; a file has them once, as `base_model.` and the name.
    public let shared: [(name: String, value: Tensor)]
    /// Whether a file has the shared tensors; if not, they come from a seed, whatever it says.
    public let savesShared: Bool
    /// Whether a file that should have the shared tensors and does not is refused; if not, they come
    /// from the seed.
    public let needsShared: Bool

    /// Parts that share nothing, unless something is given.
    public init(
        _ placed: [PlacedPart], shared: [(name: String, value: Tensor)] = [],
        savesShared: Bool = true, needsShared: Bool = true
    ) {
        self.placed = placed
        self.shared = shared
        self.savesShared = savesShared
        self.needsShared = needsShared
    }
}

/// A part and the slot that it is for.
public struct PlacedPart {
    /// A place of the model, with the slot that it has.
    public enum Slot {
        case linear(Linear)
        case block(BlockEnd)
        case prefix(PrefixSlot)
        case prompt(PromptSlot)
    }

    public let slot: Slot
    public let part: any AdapterPart

    public init(_ slot: Slot, _ part: any AdapterPart) {
        self.slot = slot
        self.part = part
    }

    /// What stands before the names of the part's tensors; empty for the one part of a whole model.
    var path: String {
        switch slot {
        case .linear(let layer): layer.path + "."
        case .block(let block): block.path + "."
        case .prefix, .prompt: ""
        }
    }

    /// Whether the part is in its slot.
    var isIn: Bool {
        let found: (any AdapterPart)? =
            switch slot {
            case .linear(let layer): layer.adapter
            case .block(let block): block.adapter
            case .prefix(let slot): slot.adapter
            case .prompt(let slot): slot.adapter
            }
        return found === part
    }

    func putIn() {
        switch slot {
        case .linear(let layer): layer.adapter = part as? any LinearAdapter
        case .block(let block): block.adapter = part as? any BlockAdapter
        case .prefix(let slot): slot.adapter = part as? any KeyValuePrefix
        case .prompt(let slot): slot.adapter = part as? any InputPrompt
        }
    }

    func takeOut() {
        guard isIn else { return }
        switch slot {
        case .linear(let layer): layer.adapter = nil
        case .block(let block): block.adapter = nil
        case .prefix(let slot): slot.adapter = nil
        case .prompt(let slot): slot.adapter = nil
        }
    }
}
