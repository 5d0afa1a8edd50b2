/// The share of predictions that equal their label.
///
///     try accuracy(predictions: [0, 2, 1, 3], labels: [0, 1, 2, 3])  // 0.5
///
/// Reference: scikit-learn, `accuracy_score`. GLUE reports it for RTE, MRPC, QQP, SST-2, QNLI
/// and MNLI.
///
/// - Precondition: as many predictions as labels.
/// - Throws: ``MetricError/noData(metric:)`` when there are none.
public func accuracy(predictions: [Int], labels: [Int]) throws(MetricError) -> Double {
    try checkPairs(predictions.count, labels.count, metric: "accuracy")
    let correct = zip(predictions, labels).count { $0 == $1 }
    return Double(correct) / Double(labels.count)
}
