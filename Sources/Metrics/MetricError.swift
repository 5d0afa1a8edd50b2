/// Why a metric has no value.
public enum MetricError: Error, Equatable, CustomStringConvertible {
    /// There was nothing to average over.
    case noData(metric: String)
    /// A generated text, counted from 1, had nothing to be compared with.
    case noReferences(metric: String, segment: Int)

    public var description: String {
        switch self {
        case .noData(let metric):
            "\(metric) of no examples is undefined; it needs at least one prediction and its label."
        case .noReferences(let metric, let segment):
            "\(metric) of text \(segment) is undefined; it needs at least one reference."
        }
    }
}

/// Checks what every metric asks of its two columns: as many predictions as labels, and some.
func checkPairs(_ predictions: Int, _ labels: Int, metric: String) throws(MetricError) {
    precondition(
        predictions == labels, "\(metric): \(predictions) predictions for \(labels) labels.")
    guard labels > 0 else { throw .noData(metric: metric) }
}
