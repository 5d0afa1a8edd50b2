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
