import DualModels
import DualModules
import DualTorch

/// A model that has read rows of text, and what it says of each row's next token.
final class DecodingCache {
    private let model: any CausalModel
    private let device: Device
    private var cache: KeyValueCache
    /// (B, vocabulary) of float32 on the CPU.
    private(set) var logits: Tensor
    /// Tokens that the cache has of the prompts, padding and virtual ones counted.
    private let promptLength: Int

    /// Reads prompts, padded on the left to one length.
    /// - Parameters:
    ///   - limit: the most new tokens of a row.
    ///   - paddingID: any token: padding is not seen.
    init(_ model: any CausalModel, prompts: [[Int]], limit: Int, paddingID: Int = 0) throws {
        self.model = model
        device = model.parameters.first?.stored.device ?? .cpu
        let batch = try TokenBatch(
            ids: prompts, paddingID: paddingID, side: .left, device: device)
        let length = batch.ids.size(1)
        // The last token is not read.
        cache = try model.makeCache(
            leftPadding: prompts.map { length - $0.count }, capacity: length + limit - 1)
        logits = try model.nextLogits(batch.ids, cache: cache).onProcessor()
        promptLength = cache.count
    }

    /// Reads one more token of each row.
    func read(_ tokens: [Int]) throws {
        let ids = try Tensor(tokens, [tokens.count, 1]).to(device: device)
        logits = try model.nextLogits(ids, cache: cache).onProcessor()
    }

    /// Keeps rows by number, each as often as it is named.
    func select(_ rows: [Int]) throws {
        guard rows != Array(0..<cache.rowCount) else { return }
        cache = try withoutGradient { try cache.selecting(rows: rows) }
    }

    /// As ``select(_:)``, with the logits that were not used yet.
    func selectWithLogits(_ rows: [Int]) throws {
        logits = try withoutGradient { try logits.gathered(rows: Tensor(rows)) }
        try select(rows)
    }

    /// Lets row i go on from what row `rows[i]`, of the same prompt, has generated.
    func reorder(_ rows: [Int]) throws {
        try withoutGradient { try cache.reorder(rows: rows, from: promptLength) }
    }
}

extension Tensor {
    fileprivate func onProcessor() throws -> Tensor {
        try withoutGradient { try to(device: .cpu).contiguous() }
    }

    /// The rows of a contiguous float32 matrix on the CPU.
    func withRows<Result>(
        _ body: (_ row: (Int) -> UnsafeBufferPointer<Float>) throws -> Result
    ) throws -> Result {
        let width = size(1)
        return try withBytes { bytes in
            let all = bytes.assumingMemoryBound(to: Float.self)
            return try body { UnsafeBufferPointer(rebasing: all[$0 * width..<($0 + 1) * width]) }
        }
    }
}
