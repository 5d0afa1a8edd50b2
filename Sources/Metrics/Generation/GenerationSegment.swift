/// A generated text and what people wrote for the same input.
public struct GenerationSegment: Equatable, Sendable {
    /// The generated text.
    public var hypothesis: String
    /// What people wrote, any of which would do.
    public var references: [String]

    public init(hypothesis: String, references: [String]) {
        self.hypothesis = hypothesis
        self.references = references
    }
}

/// Checks what every metric of generated text asks: segments, and references in each.
func checkSegments(_ segments: [GenerationSegment], metric: String) throws(MetricError) {
    guard !segments.isEmpty else { throw .noData(metric: metric) }
    if let bare = segments.firstIndex(where: \.references.isEmpty) {
        throw .noReferences(metric: metric, segment: bare + 1)
    }
}
