import DualModules
import DualTorch

extension TransformerModel {
    /// Gives the embedding of words, and the head of a language model, another number of rows.
    ///
    /// New rows are the mean of those that were there, which transformers' `resize_token_embeddings` draws
    /// them around (a normal distribution with a billionth of the rows' covariance).
    /// - Parameter count: of tokens, at least 1.
    public func resizeVocabulary(to count: Int) throws {
        guard let words = slots.prompt?.words, words.stored.size(0) != count else { return }
        let head = slots.head.flatMap { $0.weight === words ? nil : $0.weight }
        for parameter in [words] + (head.map { [$0] } ?? []) {
            parameter.stored = .plain(try parameter.value.resized(rows: count))
        }
    }
}

extension Tensor {
    /// The first rows of a matrix, or all and behind them their mean.
    fileprivate func resized(rows count: Int) throws -> Tensor {
        try withoutGradient {
            guard count > size(0) else { return try slice(0..<count).contiguous() }
            let mean = try self.mean(along: 0, keepingDimension: true)
            return try .joined([self, mean.expanded([count - size(0), size(1)])], along: 0)
        }
    }
}
