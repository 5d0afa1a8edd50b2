import DualModels
import DualTorch

/// How sequences become a batch.
public struct SequenceLayout {
    /// One behind the other in a row, instead of padded to one length.
    public let isPacked: Bool
    public let paddingID: Int
    public let device: Device

    public init(isPacked: Bool, paddingID: Int, device: Device = .cpu) {
        self.isPacked = isPacked
        self.paddingID = paddingID
        self.device = device
    }

    /// - Parameter prompts: the lengths of the sequences' prompts, if answers follow them.
    package func batch(_ sequences: [[Int]], prompts: [Int]? = nil) throws -> TokenBatch {
        isPacked
            ? try TokenBatch(packed: sequences, prompts: prompts, device: device)
            : try TokenBatch(
                ids: sequences, prompts: prompts, paddingID: paddingID, device: device)
    }

    package func batch(_ examples: [CompletionExample]) throws -> TokenBatch {
        let hasPrompts = examples.contains { $0.promptLength != nil }
        return try batch(
            examples.map(\.ids),
            prompts: hasPrompts ? examples.map { $0.promptLength ?? $0.ids.count } : nil)
    }
}
