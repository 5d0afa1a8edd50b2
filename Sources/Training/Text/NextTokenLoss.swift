import DualModels
import DualModules
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

/// The mean of -log p(next token) over every token of the sequences but each one's first.
///
/// Only the places that predict something go through the head.
/// - Parameter sequences: of at least two tokens each.
/// - Returns: a scalar in float32 at least, differentiable.
public func nextTokenLoss(
    of model: any TransformerModel, on sequences: [[Int]], layout: SequenceLayout,
    mode: ForwardMode = .inference
) throws -> Tensor {
    let batch = try layout.batch(sequences)
    let hidden = try model.hiddenStates(batch, mode: mode)  // (B, T, E)
    let flat = try hidden.reshaped(-1, hidden.size(-1))  // (B T, E)
    let width = layout.isPacked ? 0 : batch.ids.size(1)
    var (places, targets) = ([Int](), [Int]())
    var start = 0
    for sequence in sequences {
        places += start..<start + sequence.count - 1
        targets += sequence.dropFirst()
        start += layout.isPacked ? sequence.count : width
    }
    let predicting = try flat.gathered(rows: Tensor(places).to(device: layout.device))  // (N, E)
    let labels = try Tensor(targets).to(device: layout.device)
    guard model is any CausalModel, let head = model.head, head.adapter == nil else {
        return try lossThroughLogits(of: model, predicting, labels, mode: mode)
    }
    return try predicting.crossEntropy(
        through: head.weight.value, bias: head.bias?.value, labels: labels)
}

/// The mean loss where only the model itself can make logits: of a chunk of places at a time, for which
/// the backward makes them again.
private func lossThroughLogits(
    of model: any TransformerModel, _ hidden: Tensor, _ labels: Tensor, mode: ForwardMode
) throws -> Tensor {
    let count = hidden.size(0)
    let rows = rowsOfLogits(classes: model.vocabularySize, dtype: .float32)
    let parts = try stride(from: 0, to: count, by: rows).map { start in
        let range = start..<min(start + rows, count)
        let targets = try labels.slice(range)
        return try mode.recomputing([hidden.slice(range)]) { hidden in
            guard let logits = try model.logits(ofHidden: hidden[0], mode: mode) else {
                throw ModelError.noHead(folder: "this model")
            }
            let wide = try logits.dtype == .float64 ? logits : logits.to(.float32)
            return [try wide.crossEntropy(targets) * (Double(range.count) / Double(count))]
        }[0]
    }
    return try Tensor.stacked(parts).sum()
}
