import Foundation
import Testing

@testable import DualGeneration

/// Processors against numbers worked out by hand.
@Suite struct ProcessorTests {
    private func processed(
        _ scores: [Float], by processor: any LogitsProcessor, after tokens: [Int] = [],
        promptCount: Int = 0
    ) -> [Float] {
        var scores = scores
        processor.process(&scores, after: TextSoFar(tokens: tokens, promptCount: promptCount))
        return scores
    }

    /// Which scores are left, with logarithms of probabilities 0.5, 0.25, 0.15, 0.1 in another order.
    private func kept(by processor: any LogitsProcessor) -> [Int] {
        let scores = [0.15, 0.5, 0.1, 0.25].map { Float(log($0)) }
        let left = processed(scores, by: processor)
        return left.indices.filter { left[$0] > -.infinity }
    }

    @Test func aRepeatedTokenIsPenalizedOnceWhateverItsSign() {
        let scores = processed(
            [2, -2, 3, 0], by: RepetitionPenalty(penalty: 2), after: [0, 1, 1, 0, 99])
        #expect(scores == [1, -4, 3, 0])
    }

    @Test(arguments: [
        (1, [0, 1, 2]), (2, [1, 2]), (3, [1]), (4, []), (9, []),
    ])
    func noSequenceOfTokensComesTwice(size: Int, excluded: [Int]) {
        let scores = processed(
            [0, 0, 0, 0], by: NoRepeatNGram(size: size), after: [0, 1, 1, 2, 0, 1])
        #expect(scores.indices.filter { scores[$0] == -.infinity } == excluded)
    }

    @Test func sequencesOfThePromptMayComeAgainWhereThatIsAllowed() {
        func excluded(_ tokens: [Int], promptCount: Int) -> [Int] {
            let scores = processed(
                [0, 0, 0, 0], by: NoRepeatNGram(size: 2, source: .newTokens), after: tokens,
                promptCount: promptCount)
            return scores.indices.filter { scores[$0] == -.infinity }
        }
        #expect(excluded([0, 1, 1, 2, 0, 1], promptCount: 3) == [])
        #expect(excluded([0, 1, 0, 2, 0], promptCount: 2) == [2])
        #expect(excluded([0, 1, 0], promptCount: 3) == [])
    }

    @Test func sequencesOfThePromptAloneDoNotComeAgain() {
        func excluded(_ tokens: [Int], promptCount: Int) -> [Int] {
            let scores = processed(
                [0, 0, 0, 0], by: NoRepeatNGram(size: 2, source: .prompt), after: tokens,
                promptCount: promptCount)
            return scores.indices.filter { scores[$0] == -.infinity }
        }
        #expect(excluded([0, 1, 1, 2, 0], promptCount: 3) == [1])
        #expect(excluded([0, 1, 2, 3, 2], promptCount: 2) == [])
        #expect(excluded([0], promptCount: 1) == [])
    }

    @Test func aPenaltyOfThePromptLeavesNewTokensAsTheyAre() {
        let penalty = RepetitionPenalty(penalty: 0.5, source: .prompt)
        let scores = processed([2, -2, 3, 0], by: penalty, after: [0, 1, 2], promptCount: 2)
        #expect(scores == [4, -1, 3, 0])
    }

    @Test func stopTokensWaitForTheFewestTokens() {
        let processor = MinimumNewTokens(minimum: 2, stopTokens: [1, 50])
        let early = processed([0, 0, 0], by: processor, after: [0, 0, 2], promptCount: 2)
        #expect(early == [0, -.infinity, 0])
        let late = processed([0, 0, 0], by: processor, after: [0, 0, 2, 2], promptCount: 2)
        #expect(late == [0, 0, 0])
    }

    @Test func temperatureDivides() {
        #expect(processed([1, -3], by: Temperature(temperature: 2)) == [0.5, -1.5])
    }

    @Test(arguments: [
        (1, [1]), (2, [1, 3]), (3, [0, 1, 3]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3]),
    ])
    func theMostProbableTokensStay(count: Int, expected: [Int]) {
        #expect(kept(by: TopK(count: count)) == expected)
    }

    @Test func tokensThatEqualTheLastOfTheKeptStay() {
        #expect(
            processed([1, 3, 1, 0], by: TopK(count: 2)) == [1, 3, 1, -.infinity])
    }

    @Test(arguments: [
        (0.01, [1]), (0.49, [1]), (0.6, [1, 3]), (0.76, [0, 1, 3]), (0.95, [0, 1, 2, 3]),
    ])
    func theFewestTokensThatReachTheShareStay(share: Double, expected: [Int]) {
        #expect(kept(by: TopP(share: share)) == expected)
    }

    @Test func aShareIsReachedAlsoByThousandsOfTokens() {
        var scores = [Float](repeating: 0, count: 10_000)
        TopP(share: 0.3).process(&scores, after: TextSoFar(tokens: [], promptCount: 0))
        let left = scores.count { $0 > -.infinity }
        #expect(abs(left - 3000) <= 1)
    }

    @Test(arguments: [(0.19, [0, 1, 2, 3]), (0.21, [0, 1, 3]), (0.49, [1, 3]), (0.51, [1])])
    func tokensFarBehindTheMostProbableGo(share: Double, expected: [Int]) {
        #expect(kept(by: MinP(share: share)) == expected)
    }

    @Test func processorsComeInTheReferenceOrder() {
        var options = GenerationOptions()
        (options.repetitionPenalty, options.noRepeatNGram, options.minimumNewTokens) = (2, 2, 2)
        (options.temperature, options.topP, options.minP, options.sampling) = (2, 0.5, 0.1, true)
        options.stopTokens = [1]
        #expect(
            options.makeProcessors().map { "\(type(of: $0))" } == [
                "RepetitionPenalty", "NoRepeatNGram", "MinimumNewTokens", "Temperature", "TopK",
                "TopP", "MinP",
            ])
        options.temperature = 0
        #expect(options.makeProcessors().count == 3)
    }
}
