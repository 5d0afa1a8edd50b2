/// Divides scores: below 1 the distribution becomes sharper, above 1 flatter.
public struct Temperature: LogitsProcessor {
    public let temperature: Float

    public init(temperature: Float) { self.temperature = temperature }

    public func process(_ scores: inout [Float], after text: TextSoFar) {
        for index in scores.indices { scores[index] /= temperature }
    }
}
