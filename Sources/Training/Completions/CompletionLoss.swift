import DualModels
import DualModules
import DualTorch

/// The mean of -log p(token) over the learnt tokens of some sequences.
///
/// Only the places that predict one of them go through the head.
/// - Parameters:
///   - examples: of which at least one token is learnt.
///   - labelSmoothing: the share of a target that all tokens of the vocabulary have alike.
/// - Returns: a scalar in float32 at least, differentiable.
public func completionLoss(
    of model: any TransformerModel, on examples: [CompletionExample], layout: SequenceLayout,
    labelSmoothing: Double = 0, mode: ForwardMode = .inference
) throws -> Tensor {
    let batch = try layout.batch(examples)
    let hidden = try model.hiddenStates(batch, mode: mode)  // (B, T, E)
    let flat = try hidden.reshaped(-1, hidden.size(-1))  // (B T, E)
    let width = layout.isPacked ? 0 : batch.ids.size(1)
    var (positions, targets) = ([Int](), [Int]())
    var start = 0
    for example in examples {
        for position in example.ids.indices.dropFirst() where example.isTrained[position] {
            positions.append(start + position - 1)
            targets.append(example.ids[position])
        }
        start += layout.isPacked ? example.ids.count : width
    }
    let predicting = try flat.gathered(rows: Tensor(positions).to(device: layout.device))  // (N, E)
    let labels = try Tensor(targets).to(device: layout.device)
    guard model is any CausalModel, let head = model.head, head.adapter == nil else {
        return try lossThroughLogits(
            of: model, predicting, labels, labelSmoothing: labelSmoothing, mode: mode)
    }
    return try predicting.crossEntropy(
        through: head.weight.stored, bias: head.bias?.value, labels: labels,
        labelSmoothing: labelSmoothing)
}

/// The mean of -log p(next token) over every token of the sequences but each one's first.
/// - Parameter sequences: of at least two tokens each.
/// - Returns: a scalar in float32 at least, differentiable.
public func nextTokenLoss(
    of model: any TransformerModel, on sequences: [[Int]], layout: SequenceLayout,
    mode: ForwardMode = .inference
) throws -> Tensor {
    try completionLoss(
        of: model, on: sequences.map { CompletionExample($0) }, layout: layout, mode: mode)
}

/// The mean loss where only the model itself can make logits: of a chunk of places at a time, for which
/// the backward makes them again.
private func lossThroughLogits(
    of model: any TransformerModel, _ hidden: Tensor, _ labels: Tensor, labelSmoothing: Double,
    mode: ForwardMode
) throws -> Tensor {
    let count = hidden.size(0)
    let rows = rowsOfLogits(classes: model.vocabularySize, dtype: .float32)
    let losses = try stride(from: 0, to: count, by: rows).map { start in
        let range = start..<min(start + rows, count)
        let targets = try labels.slice(range)
        return try mode.recomputing([hidden.slice(range)]) { hidden in
            guard let logits = try model.logits(ofHidden: hidden[0], mode: mode) else {
                throw ModelError.noHead(folder: "this model")
            }
            let wide = try logits.dtype == .float64 ? logits : logits.to(.float32)
            let loss = try wide.crossEntropy(targets, labelSmoothing: labelSmoothing)
            return [try loss * (Double(range.count) / Double(count))]
        }[0]
    }
    return try Tensor.stacked(losses).sum()
}
