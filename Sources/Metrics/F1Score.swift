/// The harmonic mean of precision and recall of one class, 2·TP / (2·TP + FP + FN).
///
///     try f1Score(predictions: [0, 1, 1, 1], labels: [0, 1, 0, 1])  // 0.8
///
/// Reference: scikit-learn, `f1_score(average="binary")`. As there (`zero_division`), the score
/// is 0 when the class is neither predicted nor present. GLUE reports it for MRPC and QQP.
///
/// - Parameter positive: the class counted as a hit; any other class is a miss.
/// - Precondition: as many predictions as labels.
/// - Throws: ``MetricError/noData(metric:)`` when there are none.
public func f1Score(
    predictions: [Int], labels: [Int], positive: Int = 1
) throws(MetricError) -> Double {
    try checkPairs(predictions.count, labels.count, metric: "F1")
    var (hits, errors) = (0, 0)
    for (prediction, label) in zip(predictions, labels) {
        switch (prediction == positive, label == positive) {
        case (true, true): hits += 1
        case (false, false): break
        default: errors += 1
        }
    }
    guard hits + errors > 0 else { return 0 }
    return Double(2 * hits) / Double(2 * hits + errors)
}
