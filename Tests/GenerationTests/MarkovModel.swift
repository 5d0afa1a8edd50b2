import DualModels
import DualModules
import DualTorch
import Foundation

/// A model whose next token depends on the last one alone, by a table of logits: what a search makes of
/// it can be worked out by hand.
final class MarkovModel: CausalModel {
    private let table: Tensor

    /// - Parameter logits: of each token's successor, by the token.
    init(_ logits: [[Float]]) throws {
        table = try Tensor(logits.flatMap { $0 }, [logits.count, logits.count])
    }

    /// From probabilities; 0 excludes a successor.
    convenience init(probabilities: [[Double]]) throws {
        try self.init(
            probabilities.map { row in row.map { Float($0 > 0 ? log($0) : -.infinity) } })
    }

    /// Each token is followed by its successor in `chain`; the others are all alike.
    convenience init(chain: [Int], vocabulary: Int) throws {
        var rows = [[Float]](
            repeating: [Float](repeating: 0, count: vocabulary), count: vocabulary)
        for (token, next) in zip(chain, chain.dropFirst()) { rows[token][next] = 20 }
        try self.init(rows)
    }

    let className = "MarkovModel"
    let parameters: [Parameter] = []
    let slots = AdapterSlots()
    let head: Linear? = nil
    let computeType = DType.float32
    let maximumLength: Int? = 64
    var vocabularySize: Int { table.size(0) }

    func hiddenStates(
        _ ids: Tensor, layout: BatchLayout, cache: KeyValueCache?, mode: ForwardMode
    ) throws -> Tensor {
        cache?.advance(by: ids.size(1))
        return try table.embedding(ids)
    }

    func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor? { hidden }

    func makeCache(leftPadding: [Int], capacity: Int) throws -> KeyValueCache {
        try KeyValueCache(
            layers: 1, heads: 1, headSize: 2, leftPadding: leftPadding, capacity: capacity,
            dtype: .float32, device: .cpu)
    }
}
