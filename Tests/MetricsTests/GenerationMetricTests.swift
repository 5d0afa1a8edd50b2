import Foundation
import Testing

@testable import DualMetrics

/// Sentences with the scores of the E2E challenge's own scorer
/// (`Tests/Parity/make_generation_goldens.py`).
struct GenerationGolden: Decodable, Sendable, CustomTestStringConvertible {
    struct Segment: Decodable, Sendable {
        var hypothesis: String
        var references: [String]
    }

    var seed: Int
    var scores: [String: Double]
    var segments: [Segment]
    var testDescription: String { "seed \(seed)" }

    static let all: [GenerationGolden] = {
        let url = Bundle.module.url(
            forResource: "generation", withExtension: "json", subdirectory: "Goldens")
        guard let url, let data = try? Data(contentsOf: url) else { return [] }
        return (try? JSONDecoder().decode([GenerationGolden].self, from: data)) ?? []
    }()
}

@Suite struct GenerationMetricTests {
    @Test("The goldens are there to be compared with")
    func goldensExist() {
        #expect(GenerationGolden.all.count == 6)
        #expect(GenerationGolden.all.allSatisfy { $0.scores.count == 5 && $0.segments.count == 40 })
    }

    @Test("All five scores are those of the challenge's scorer", arguments: GenerationGolden.all)
    func scores(_ golden: GenerationGolden) throws {
        let segments = golden.segments.map {
            GenerationSegment(hypothesis: $0.hypothesis, references: $0.references)
        }
        for (metric, value) in try GenerationMetric.values(of: segments) {
            let expected = try #require(golden.scores[metric.rawValue])
            #expect(abs(value - expected) < 1e-9, "\(metric.rawValue)")
        }
    }

    private func segments(_ pairs: [(String, [String])]) -> [GenerationSegment] {
        pairs.map { GenerationSegment(hypothesis: $0.0, references: $0.1) }
    }

    @Test("A text that is one of its references scores fully")
    func perfect() throws {
        let text = "The pub near the river serves cheap food."
        let other = "A bar, far from any water, with expensive drinks."
        let perfect = segments([(text, [other, text]), (other, [other])])
        #expect(abs(try bleu(perfect) - 1) < 1e-12)
        #expect(try meteor(perfect) == 1)
        #expect(abs(try rougeL(perfect) - 1) < 1e-12)
    }

    @Test("ROUGE-L by hand: three of four words in order of five give 0.66")
    func rougeByHand() throws {
        // P = 3/4 and R = 3/5: 2.44 · 0.45 / (0.6 + 1.44 · 0.75).
        let value = try rougeL(segments([("a b x c", ["a b c d e"])]))
        #expect(abs(value - 2.44 * 0.45 / 1.68) < 1e-12)
    }

    @Test("METEOR by hand: a matched stem counts 0.6, and two chunks are penalized")
    func meteorByHand() throws {
        // Words: cats (content), sleep (content, by its stem), mat (content); all match but "red".
        let value = try meteor(segments([("cats sleeping red mat", ["cats sleep mat"])]))
        let matched = (1 + 0.6 + 1) * 0.75
        let (precision, recall) = (matched / (4 * 0.75), matched / (3 * 0.75))
        let mean = 1 / (0.15 / precision + 0.85 / recall)
        #expect(abs(value - mean * (1 - 0.6 * pow(2.0 / 3, 0.2))) < 1e-12)
    }

    @Test("A text without a word has a score, the lowest", arguments: GenerationMetric.allCases)
    func emptyText(_ metric: GenerationMetric) throws {
        let value = try GenerationMetric.values(
            [metric], of: segments([("", ["a b c d e f"]), ("", ["g h i j k l"])]))[0].value
        #expect(value >= 0 && value < 1e-6)
    }

    @Test("No texts, and a text without references, are errors that say so")
    func noData() {
        #expect(throws: MetricError.noData(metric: "BLEU")) { try bleu([]) }
        let error = MetricError.noReferences(metric: "A score", segment: 2)
        #expect(throws: error) {
            try GenerationMetric.values(of: segments([("a", ["a"]), ("b", [])]))
        }
        #expect("\(error)" == "A score of text 2 is undefined; it needs at least one reference.")
    }

    @Test("Words of one stem, by the stemmer's own examples and exceptions")
    func stems() {
        let stems = [
            "consistency": "consist", "consigned": "consign", "knightly": "knight",
            "generously": "generous", "skies": "sky", "dying": "die", "inning": "inning",
            "hoping": "hope", "hopping": "hop", "cries": "cri", "tied": "tie", "gas": "gas",
            "relational": "relat", "rationalization": "ration", "probate": "probat", "is": "is",
            "yes": "yes", "boyish": "boyish", "'s": "'s", "children's": "children",
        ]
        for (word, stem) in stems { #expect(EnglishStemmer.stem(word) == stem, "\(word)") }
    }
}
