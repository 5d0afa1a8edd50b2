/// Where a bottleneck stands at a linear layer y = W₀ x + b₀.
public enum BottleneckPlace: String, CaseIterable, Sendable {
    /// y + A(x)
    case parallel
    /// W₀ (x + A(x)) + b₀
    case serialInput = "serial-input"
    /// y + A(y)
    case serialOutput = "serial-output"

    /// What goes into the bottleneck and comes out of it at a layer.
    package func sizes(outputSize: Int, inputSize: Int) -> (from: Int, to: Int) {
        switch self {
        case .parallel: (inputSize, outputSize)
        case .serialInput: (inputSize, inputSize)
        case .serialOutput: (outputSize, outputSize)
        }
    }
}
