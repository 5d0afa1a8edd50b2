import DualMetrics
import Testing

@Suite struct MetricTests {
    @Test("Published examples of scikit-learn and SciPy come out as printed there")
    func publishedExamples() throws {
        #expect(try accuracy(predictions: [0, 2, 1, 3], labels: [0, 1, 2, 3]) == 0.5)
        let matthews = try matthewsCorrelation(predictions: [1, -1, 1, 1], labels: [1, 1, 1, -1])
        #expect(abs(matthews + 1.0 / 3) < 1e-15)
        let pearson = try pearsonCorrelation([1, 2, 3, 4, 5, 6, 7], [10, 9, 2.5, 6, 4, 3, 2])
        #expect(abs(pearson + 0.828503883588428) < 1e-12)
        let spearman = try spearmanCorrelation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])
        #expect(abs(spearman - 0.8207826816681233) < 1e-12)
    }

    @Test("Binary Matthews correlation is the four-margin formula")
    func matthewsByHand() throws {
        // TP 3, FN 1, FP 2, TN 4: (3·4 - 2·1) / √(5·4·6·5) = 10 / √600
        let labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
        let predictions = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0]
        let value = try matthewsCorrelation(predictions: predictions, labels: labels)
        #expect(abs(value - 10 / 600.0.squareRoot()) < 1e-15)
        // 2·3 / (2·3 + 2 + 1)
        #expect(try f1Score(predictions: predictions, labels: labels) == 6.0 / 9)
    }

    @Test("F1 counts hits of the class it is asked about")
    func f1OfAnotherClass() throws {
        #expect(try f1Score(predictions: [0, 0, 1], labels: [0, 1, 1], positive: 0) == 2.0 / 3)
        #expect(try f1Score(predictions: [0, 0], labels: [0, 0]) == 0)
    }

    @Test("A constant column has no correlation, even where its mean rounds")
    func constantColumn() throws {
        #expect(try pearsonCorrelation([0.1, 0.1, 0.1], [1, 2, 3]).isNaN)
        #expect(try spearmanCorrelation([1, 2, 3], [0.1, 0.1, 0.1]).isNaN)
        #expect(try pearsonCorrelation([1], [2]).isNaN)
        #expect(try spearmanCorrelation([1], [2]).isNaN)
    }

    @Test("A value that is not a number makes the correlation NaN")
    func notANumber() throws {
        #expect(try pearsonCorrelation([1, .nan, 3], [1, 2, 3]).isNaN)
        #expect(try pearsonCorrelation([1, .infinity, 3], [1, 2, 3]).isNaN)
        #expect(try spearmanCorrelation([1, .nan, 3], [1, 2, 3]).isNaN)
        #expect(abs(try spearmanCorrelation([1, .infinity, 3], [1, 3, 2]) - 1) < 1e-15)
    }

    @Test("An offset of 1e8 leaves a correlation as it was")
    func offsetIsHarmless() throws {
        let x = (0..<64).map { Double(($0 * 37) % 64) / 64 }
        let y = (0..<64).map { Double(($0 * 23) % 64) / 64 }
        let plain = try pearsonCorrelation(x, y)
        let shifted = try pearsonCorrelation(x.map { $0 + 134_217_728 }, y)
        #expect(abs(plain - shifted) < 1e-14)
    }

    @Test("No examples is an error that says so")
    func noData() {
        let error = MetricError.noData(metric: "accuracy")
        #expect(throws: error) { try accuracy(predictions: [], labels: []) }
        #expect(throws: MetricError.self) { try f1Score(predictions: [], labels: []) }
        #expect(throws: MetricError.self) { try matthewsCorrelation(predictions: [], labels: []) }
        #expect(throws: MetricError.self) { try pearsonCorrelation([], []) }
        #expect(throws: MetricError.self) { try spearmanCorrelation([], []) }
        #expect(
            "\(error)" == "accuracy of no examples is undefined; "
                + "it needs at least one prediction and its label.")
    }
}
