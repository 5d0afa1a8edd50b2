import DualGeneration
import Foundation
import Testing

/// Searches through chains of a few tokens, worked out by hand.
@Suite struct SearchTests {
    /// 0 starts. Greedily 1 follows (0.6), then 3 (0.55): 0.33. But 2 (0.4) and 3 (1) make 0.4.
    private func trap() throws -> MarkovModel {
        try MarkovModel(probabilities: [
            [0, 0.6, 0.4, 0],
            [0, 0.45, 0, 0.55],
            [0, 0, 0, 1],
            [0, 0, 0, 1],
        ])
    }

    private func options(_ change: (inout GenerationOptions) -> Void) -> GenerationOptions {
        var options = GenerationOptions()
        options.stopTokens = [3]
        options.maximumNewTokens = 5
        change(&options)
        return options
    }

    @Test func greedyTakesTheMostProbableTokenEachTime() throws {
        let made = try TextGenerator(model: trap()).generate(ids: [[0]], options { _ in })
        #expect(made.map(\.ids) == [[1, 3]])
        #expect(made[0].finish == .stopToken)
        #expect(made[0].promptTokens == 1)
        #expect(made[0].text == nil)
    }

    @Test func beamsFindWhatIsMoreProbableAsAWhole() throws {
        let made = try TextGenerator(model: trap()).generate(
            ids: [[0]],
            options {
                ($0.beams, $0.returnedSequences, $0.lengthPenalty) = (2, 2, 0)
                $0.earlyStopping = .never
            })
        #expect(made.map(\.ids) == [[2, 3], [1, 3]])
        let scores = made.map { $0.score ?? 0 }
        #expect(abs(scores[0] - log(0.4)) < 1e-6 && abs(scores[1] - log(0.33)) < 1e-6)
    }

    /// With penalty 1: (2, 3) log 0.4 / 2 = -0.458; (1, 3) log 0.33 / 2 = -0.554; (1, 1, 3)
    /// log 0.1485 / 3 = -0.636.
    @Test func theLengthPenaltyDividesByThePowerOfTheNewTokens() throws {
        for (penalty, divisor) in [(1.0, 2.0), (2, 4), (-1, 0.5)] {
            let made = try TextGenerator(model: trap()).generate(
                ids: [[0, 0]],
                options { ($0.beams, $0.lengthPenalty) = (2, penalty) })
            #expect(made[0].ids == [2, 3])
            #expect(abs((made[0].score ?? 0) - log(0.4) / divisor) < 1e-6)
        }
    }

    @Test func theLimitEndsEveryRow() throws {
        let chain = try MarkovModel(chain: [0, 1, 2, 0], vocabulary: 5)
        for beams in [1, 2] {
            let made = try TextGenerator(model: chain).generate(
                ids: [[0], [1, 2]],
                options { ($0.beams, $0.stopTokens, $0.maximumNewTokens) = (beams, [], 4) })
            #expect(made.map(\.ids) == [[1, 2, 0, 1], [0, 1, 2, 0]])
            #expect(made.allSatisfy { $0.finish == .length })
        }
    }

    @Test func drawsDependOnTheSeedAndNotOnTheBatch() throws {
        let generator = TextGenerator(
            model: try MarkovModel(
                [[Float]](
                    repeating: [Float](repeating: 0, count: 20), count: 20)))
        func draw(seed: UInt64, batch: Int) throws -> [[Int]] {
            try generator.generate(
                ids: [[0], [0, 1], [2]],
                options {
                    ($0.sampling, $0.stopTokens, $0.seed) = (true, [], seed)
                    ($0.batchSize, $0.returnedSequences) = (batch, 2)
                }
            ).map(\.ids)
        }
        let first = try draw(seed: 7, batch: 8)
        #expect(try first == draw(seed: 7, batch: 1) && first == draw(seed: 7, batch: 2))
        #expect(try first != draw(seed: 8, batch: 8))
        #expect(Set(first).count == 6)
    }

    @Test func drawsFollowTheDistribution() throws {
        let generator = TextGenerator(
            model: try MarkovModel(probabilities: [
                [0, 0.7, 0.3], [0.5, 0.5, 0], [1, 0, 0],
            ]))
        let made = try generator.generate(
            ids: [[0]],
            options {
                ($0.sampling, $0.returnedSequences, $0.maximumNewTokens) = (true, 1000, 1)
            })
        let share = Double(made.count { $0.ids == [1] }) / 1000
        #expect(abs(share - 0.7) < 0.05)
    }

    @Test func cancellingKeepsWhatThereIs() throws {
        let generator = TextGenerator(model: try MarkovModel(chain: [0, 1, 2, 0], vocabulary: 5))
        for beams in [1, 2] {
            var asked = 0
            let made = try generator.generate(
                ids: [[0]], options { ($0.beams, $0.stopTokens) = (beams, []) }
            ) {
                asked += 1
                return asked > 3
            }
            #expect(made.map(\.ids) == [[1, 2]])
            #expect(made.first?.finish == .cancelled)
        }
    }

    @Test func whatExcludesEveryTokenIsReported() throws {
        let generator = TextGenerator(model: try MarkovModel(chain: [0, 1], vocabulary: 2))
        #expect(throws: GenerationError.nothingAllowed(row: 1, token: 1)) {
            try generator.generate(ids: [[0, 1]], options { $0.noRepeatNGram = 1 })
        }
        let broken = TextGenerator(model: try MarkovModel([[.nan, .nan], [0, 0]]))
        #expect(throws: GenerationError.notFinite(row: 1, token: 1)) {
            try broken.generate(ids: [[0]], options { _ in })
        }
    }
}
