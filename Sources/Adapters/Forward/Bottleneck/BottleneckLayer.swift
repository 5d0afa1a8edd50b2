import DualModules
import DualTorch

/// A bottleneck at one linear layer.
package final class BottleneckLayer: LinearAdapter {
    let bottleneck: Bottleneck
    package let place: BottleneckPlace
    /// Probability of dropping elements of the bottleneck's input.
    private let dropout: Double

    init(_ bottleneck: Bottleneck, at place: BottleneckPlace, dropout: Double) {
        self.bottleneck = bottleneck
        self.place = place
        self.dropout = dropout
    }

    /// b
    package var size: Int { bottleneck.down.size(0) }

    package var parameters: [(name: String, value: Tensor)] { bottleneck.parameters }

    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        func branch(_ x: Tensor) throws -> Tensor {
            try bottleneck(mode.dropping(x, probability: dropout))
        }
        switch place {
        case .parallel:
            let rows = try x.reshaped(-1, base.inputSize)
            let dropped = try mode.dropping(rows, probability: dropout)
            return try bottleneck.added(dropped, to: base.frozen(rows))
                .reshaped(x.shape.dropLast() + [base.outputSize])
        case .serialInput: return try base.frozen(x + branch(x))
        case .serialOutput:
            let output = try base.frozen(x)
            return try output + branch(output)
        }
    }
}
