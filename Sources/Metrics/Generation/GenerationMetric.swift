/// The metrics of the E2E challenge.
public enum GenerationMetric: String, CaseIterable, Sendable {
    case bleu
    case nist
    case meteor
    case rougeL = "rouge_l"
    case cider

    /// The values of several metrics, in their order; texts are split into words once.
    ///
    /// - Throws: ``MetricError`` when there is no segment, or one without references.
    public static func values(
        _ metrics: [GenerationMetric] = allCases, of segments: [GenerationSegment]
    ) throws(MetricError) -> [(metric: GenerationMetric, value: Double)] {
        try checkSegments(segments, metric: "A score")
        let captions = metrics.contains(where: \.readsCaptions) ? CaptionTokens(segments) : nil
        return try metrics.map { metric throws(MetricError) in
            (metric, try metric.value(of: segments, captions))
        }
    }

    private var readsCaptions: Bool { self != .bleu && self != .nist }

    private func value(
        of segments: [GenerationSegment], _ captions: CaptionTokens?
    ) throws(MetricError) -> Double {
        switch self {
        case .bleu: return try DualMetrics.bleu(segments)
        case .nist: return try DualMetrics.nist(segments)
        case .meteor: return DualMetrics.meteor(captions ?? CaptionTokens(segments))
        case .rougeL: return DualMetrics.rougeL(captions ?? CaptionTokens(segments))
        case .cider: return DualMetrics.cider(captions ?? CaptionTokens(segments))
        }
    }
}
