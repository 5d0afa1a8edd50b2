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

    func batch(_ sequences: [[Int]]) throws -> TokenBatch {
        isPacked
            ? try TokenBatch(packed: sequences, device: device)
            : try TokenBatch(ids: sequences, paddingID: paddingID, device: device)
    }
}
