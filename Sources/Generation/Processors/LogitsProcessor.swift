/// A change to the scores of the next token: logits, or in a beam search their log-probabilities.
///
/// A token with a score of -∞ is never chosen. Reference: transformers' `logits_process.py`.
protocol LogitsProcessor: Sendable {
    /// - Parameter scores: one for each token of the vocabulary.
    func process(_ scores: inout [Float], after text: TextSoFar)
}

extension GenerationOptions {
    /// The processors that these options ask for, in transformers' order.
    func makeProcessors() -> [any LogitsProcessor] {
        var processors: [any LogitsProcessor] = []
        if encoderRepetitionPenalty != 1 {
            let penalty = Float(1 / encoderRepetitionPenalty)
            processors.append(RepetitionPenalty(penalty: penalty, source: .prompt))
        }
        if repetitionPenalty != 1 {
            processors.append(RepetitionPenalty(penalty: Float(repetitionPenalty)))
        }
        if noRepeatNGram > 0 {
            processors.append(
                NoRepeatNGram(size: noRepeatNGram, source: repeatsPrompt ? .newTokens : .text))
        }
        if encoderNoRepeatNGram > 0 {
            processors.append(NoRepeatNGram(size: encoderNoRepeatNGram, source: .prompt))
        }
        if minimumNewTokens > 0, !stopTokens.isEmpty {
            processors.append(
                MinimumNewTokens(minimum: minimumNewTokens, stopTokens: stopTokens))
        }
        guard draws else { return processors }
        if temperature != 1 { processors.append(Temperature(temperature: Float(temperature))) }
        if topK > 0 { processors.append(TopK(count: topK)) }
        if topP < 1 { processors.append(TopP(share: topP)) }
        if minP > 0 { processors.append(MinP(share: minP)) }
        return processors
    }
}
