import DualTorch

/// What one block of a decoder hands to the next: the stream, and a branch that is still to be added to
/// it, so that the norm that follows can do both in one pass.
public struct ResidualStream {
    public let stream: Tensor
    /// Of the stream's shape; nil where nothing is to be added.
    public let branch: Tensor?

    public init(_ stream: Tensor, branch: Tensor? = nil) {
        self.stream = stream
        self.branch = branch
    }
}

extension ForwardMode {
    /// Runs one of a row of blocks, a function of what it is given, its weights and this mode alone.
    /// - Parameter more: what else of the graph the block takes.
    public func running(
        _ x: ResidualStream, with more: [Tensor] = [],
        _ block: @escaping (ResidualStream, _ more: [Tensor]) throws -> ResidualStream
    ) throws -> ResidualStream {
        let stream = [x.stream] + (x.branch.map { [$0] } ?? [])
        let results = try running(stream + more) { given in
            let result = try block(
                ResidualStream(given[0], branch: stream.count > 1 ? given[1] : nil),
                Array(given.dropFirst(stream.count)))
            return [result.stream] + (result.branch.map { [$0] } ?? [])
        }
        return ResidualStream(results[0], branch: results.count > 1 ? results[1] : nil)
    }
}
