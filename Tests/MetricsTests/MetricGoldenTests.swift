import DualMetrics
import Foundation
import Testing

/// Cases computed by scikit-learn and SciPy (`Tests/Parity/make_metric_goldens.py`).
struct MetricGoldens: Decodable {
    struct Classification: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var labels: [Int]
        var predictions: [Int]
        var accuracy: Double
        var matthews: Double
        var f1: Double?
        var testDescription: String { name }
    }

    struct Correlation: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var x: [Double]
        var y: [Double]
        var pearson: Double?
        var spearman: Double?
        var testDescription: String { name }
    }

    var classifications: [Classification]
    var correlations: [Correlation]

    static let all: MetricGoldens? = {
        let url = Bundle.module.url(
            forResource: "metrics", withExtension: "json", subdirectory: "Goldens")
        guard let url, let data = try? Data(contentsOf: url) else { return nil }
        return try? JSONDecoder().decode(MetricGoldens.self, from: data)
    }()
}

@Suite struct MetricGoldenTests {
    let tolerance = 1e-12

    @Test("The goldens are there to be compared with")
    func goldensLoad() throws {
        let goldens = try #require(MetricGoldens.all)
        #expect(goldens.classifications.count >= 15)
        #expect(goldens.correlations.count >= 15)
    }

    @Test(
        "Classification metrics equal scikit-learn's",
        arguments: MetricGoldens.all?.classifications ?? [])
    func classificationsAgree(_ row: MetricGoldens.Classification) throws {
        let (predictions, labels) = (row.predictions, row.labels)
        let accuracy = try accuracy(predictions: predictions, labels: labels)
        #expect(abs(accuracy - row.accuracy) <= tolerance)
        let matthews = try matthewsCorrelation(predictions: predictions, labels: labels)
        #expect(abs(matthews - row.matthews) <= tolerance)
        if let expected = row.f1 {
            let f1 = try f1Score(predictions: predictions, labels: labels)
            #expect(abs(f1 - expected) <= tolerance)
        }
    }

    @Test("Correlations equal SciPy's", arguments: MetricGoldens.all?.correlations ?? [])
    func correlationsAgree(_ row: MetricGoldens.Correlation) throws {
        expect(try pearsonCorrelation(row.x, row.y), equals: row.pearson)
        expect(try spearmanCorrelation(row.x, row.y), equals: row.spearman)
    }

    /// `nil` in a golden stands for NaN.
    func expect(_ value: Double, equals golden: Double?) {
        if let golden {
            #expect(abs(value - golden) <= tolerance)
        } else {
            #expect(value.isNaN)
        }
    }
}
