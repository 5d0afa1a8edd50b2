/// Matthews correlation, for any number of classes.
///
///     try matthewsCorrelation(predictions: [1, -1, 1, 1], labels: [1, 1, 1, -1])  // -0.333…
///
/// With c correct of n examples, and t and p the counts of each class among labels and
/// predictions, the value is (c·n - t·p) / √((n² - p·p)(n² - t·t)). For two classes it is the
/// usual (TP·TN - FP·FN) over the root of the four margins.
///
/// Reference: scikit-learn, `matthews_corrcoef` (Gorodkin 2004, R_K). As there, it is 0 when the
/// labels or the predictions are all of one class. GLUE reports it for CoLA.
///
/// - Precondition: as many predictions as labels.
/// - Throws: ``MetricError/noData(metric:)`` when there are none.
public func matthewsCorrelation(predictions: [Int], labels: [Int]) throws(MetricError) -> Double {
    try checkPairs(predictions.count, labels.count, metric: "Matthews correlation")
    let n = labels.count
    let correct = zip(predictions, labels).count { $0 == $1 }
    let labelCounts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    let predictionCounts = Dictionary(predictions.map { ($0, 1) }, uniquingKeysWith: +)
    let chance = labelCounts.reduce(0) { $0 + $1.value * predictionCounts[$1.key, default: 0] }
    // Integers to here, so no cancellation: n² fits for three billion examples.
    let covariance = correct * n - chance
    let labelVariance = n * n - labelCounts.values.reduce(0) { $0 + $1 * $1 }
    let predictionVariance = n * n - predictionCounts.values.reduce(0) { $0 + $1 * $1 }
    guard labelVariance > 0, predictionVariance > 0 else { return 0 }
    let scale = Double(labelVariance).squareRoot() * Double(predictionVariance).squareRoot()
    return min(1, max(-1, Double(covariance) / scale))
}
