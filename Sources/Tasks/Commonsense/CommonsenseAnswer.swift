import DualDatasets
import DualTraining

/// What a model answered to one question.
public struct CommonsenseAnswer: Sendable, Equatable {
    public let set: CommonsenseSet
    public let example: CommonsenseExample
    /// The tokens that it read.
    public let prompt: [Int]
    /// What it wrote, or the most probable answer in the data's words.
    public let text: String
    /// The choice that it named; nil if it named none.
    public let answer: String?
    /// The choice of the greatest log-probability a token, where answers were compared.
    public let answerByToken: String?

    /// An answer read in a text.
    init(
        _ question: CommonsenseScorer.Question, of set: CommonsenseSet, text: String,
        answer: String?
    ) {
        self.set = set
        example = question.example
        prompt = question.prompt
        self.text = text
        self.answer = answer
        answerByToken = nil
    }

    /// The most probable of some choices; of equal ones the first.
    /// - Parameters:
    ///   - logProbabilities: of the choices.
    ///   - lengths: their tokens.
    init(
        _ question: CommonsenseScorer.Question, of set: CommonsenseSet, choices: [String],
        logProbabilities: [Double], lengths: [Int]
    ) {
        func best(_ values: [Double]) -> String? {
            var best = 0
            for (index, value) in values.enumerated() where value > values[best] { best = index }
            return choices.indices.contains(best) ? choices[best] : nil
        }
        self.set = set
        example = question.example
        prompt = question.prompt
        answer = best(logProbabilities)
        answerByToken = best(zip(logProbabilities, lengths).map { $0 / Double(max(1, $1)) })
        text = CommonsenseExample.phrase(answer ?? "")
    }

    public var isRight: Bool { answer == example.answer }

    /// Whether the choice of the greatest log-probability a token is the right one.
    public var isRightByToken: Bool { answerByToken == example.answer }
}
