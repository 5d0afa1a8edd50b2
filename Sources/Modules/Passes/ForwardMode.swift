import DualTorch

/// Whether a forward pass trains, and then where its dropout takes random numbers from.
public struct ForwardMode {
    let dropout: Generator?
    /// Whether a block of layers keeps only its inputs for the backward, which runs it again.
    let recomputesBlocks: Bool

    public static var inference: ForwardMode {
        ForwardMode(dropout: nil, recomputesBlocks: false)
    }

    public static func training(
        _ generator: Generator, recomputingBlocks: Bool = false
    ) -> ForwardMode {
        ForwardMode(dropout: generator, recomputesBlocks: recomputingBlocks)
    }

    public var isTraining: Bool { dropout != nil }

    /// Runs a function that keeps only its inputs for the backward, whatever the mode says of blocks.
    package func recomputing(
        _ inputs: [Tensor], _ body: @escaping ([Tensor]) throws -> [Tensor]
    ) throws -> [Tensor] {
        try recomputed(inputs, drawing: dropout, body)
    }

    /// `x` with elements dropped in training; `x` itself otherwise.
    public func dropping(_ x: Tensor, probability: Double) throws -> Tensor {
        guard let dropout else { return x }
        return try x.dropout(probability: probability, using: dropout)
    }
}
