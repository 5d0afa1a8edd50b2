import DualModules
import DualTorch

/// A method that changes what the blocks of a model hand on.
public protocol BlockAdapterMethod: AdapterMethod {
    func makeAdapter(for block: BlockEnd, using generator: Generator) throws -> any BlockAdapter

    /// The blocks by number that it changes; nil for all, as by default.
    var blocks: [Int]? { get }
}

extension BlockAdapterMethod {
    public var blocks: [Int]? { nil }

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        try makeBlockParts(for: slots, targets: targets, using: generator)
    }

    /// A part at the end of every block that is chosen.
    func makeBlockParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        guard targets.isStandard else {
            throw AdapterError.badOption(
                method: Self.facts.name, option: "targets",
                reason: "this method changes whole blocks, not their linear layers")
        }
        let chosen = blocks ?? Array(slots.blocks.indices)
        return AdapterParts(
            try chosen.map { index in
                guard slots.blocks.indices.contains(index) else {
                    throw AdapterError.noSuchBlock(index, count: slots.blocks.count)
                }
                let block = slots.blocks[index]
                return .block(block, try makeAdapter(for: block, using: generator))
            })
    }
}
