import DualTorch

/// The output of one block: the residual stream, and a branch that is still to be added to it, so that
/// the next norm adds and normalises in one pass.
public struct ResidualStream {
    public let stream: Tensor
    /// Of the stream's shape; nil where there is nothing to add.
    public let branch: Tensor?

    public init(_ stream: Tensor, branch: Tensor? = nil) {
        self.stream = stream
        self.branch = branch
    }
}

extension ForwardMode {
    /// Runs one of a row of blocks, a function of what it is given, its weights and this mode alone.
    /// - Parameter more: further tensors of the graph that the block takes.
    package func running(
        _ x: ResidualStream, with more: [Tensor] = [],
        _ block: @escaping (ResidualStream, _ more: [Tensor]) throws -> ResidualStream
    ) throws -> ResidualStream {
        guard recomputesBlocks else { return try block(x, more) }
        let stream = [x.stream] + (x.branch.map { [$0] } ?? [])
        let results = try recomputing(stream + more) { given in
            let result = try block(
                ResidualStream(given[0], branch: stream.count > 1 ? given[1] : nil),
                Array(given.dropFirst(stream.count)))
            return [result.stream] + (result.branch.map { [$0] } ?? [])
        }
        return ResidualStream(results[0], branch: results.count > 1 ? results[1] : nil)
    }
}
