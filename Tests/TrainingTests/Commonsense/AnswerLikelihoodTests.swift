import DualModels
import DualTorch
import TestSupport
import Testing

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

@Suite struct AnswerLikelihoodTests {
    /// log p of the tokens of `answer` behind `prompt`, read as one sequence without a cache.
    private func direct(
        _ model: any CausalModel, _ prompt: [Int], _ answer: [Int]
    ) throws -> Double {
        let batch = try TokenBatch(ids: [prompt + answer], paddingID: 0)
        let logits = try withoutGradient { try model.logits(batch).to(.float32) }
        let rows = try logits.selecting(0).logSoftmax(along: -1)
        return try answer.enumerated().reduce(0) { sum, next in
            let row = try rows.selecting(prompt.count + next.offset - 1)
            return sum + (try row.selecting(next.element).item())
        }
    }

    private func random(_ counts: ClosedRange<Int>, seed: UInt64) throws -> [Int] {
        var random = SplitMix64(seed: seed)
        let count = Int.random(in: counts, using: &random)
        return try seededIntegers(count, in: 0..<40, seed: seed)
    }

    @Test(
        "Answers that share their prompt are as probable as each read alone",
        arguments: TinyDecoder.all)
    func sharing(_ decoder: TinyDecoder) throws {
        let model = try decoder.make()
        let questions = try (0..<12).map { number in
            let seed = UInt64(1000 * number)
            let shared = try random(0...5, seed: seed + 1)
            let answers = try (0..<4).map { shared + (try random(1...4, seed: seed + 2 + $0)) }
            return AnswerLikelihoods.Question(
                prompt: try random(1...14, seed: seed), answers: answers)
        }
        let found = try AnswerLikelihoods(model: model, device: .cpu)(questions)
        #expect(found.count == questions.count)
        for (question, values) in zip(questions, found) {
            for (answer, value) in zip(question.answers, values) {
                let expected = try direct(model, question.prompt, answer)
                #expect(abs(value - expected) < 1e-4)
            }
        }
    }

    @Test("What answers begin with alike is found, and one token of each is left")
    func sharedTokens() {
        func shared(_ answers: [[Int]]) -> [Int] {
            AnswerLikelihoods.Question(prompt: [9], answers: answers).shared
        }
        #expect(shared([[1, 2, 3], [1, 2, 4]]) == [1, 2])
        #expect(shared([[1, 2], [1, 2, 4]]) == [1])
        #expect(shared([[1], [2]]) == [])
        #expect(shared([[5, 6, 7]]) == [5, 6])
        #expect(shared([[1, 3], [2, 3]]) == [])
    }
}
