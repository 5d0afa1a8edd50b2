import DualTorch

/// Whether a forward pass trains, and then where its dropout takes random numbers from.
public struct ForwardMode {
    let dropout: Generator?

    public static var inference: ForwardMode { ForwardMode(dropout: nil) }

    public static func training(_ generator: Generator) -> ForwardMode {
        ForwardMode(dropout: generator)
    }

    public var isTraining: Bool { dropout != nil }

    /// `x` with elements dropped in training; `x` itself otherwise.
    public func dropping(_ x: Tensor, probability: Double) throws -> Tensor {
        guard let dropout else { return x }
        return try x.dropout(probability: probability, using: dropout)
    }
}
