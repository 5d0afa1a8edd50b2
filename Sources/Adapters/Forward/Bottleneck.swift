import DualModules
import DualTorch

/// Two linear maps with a narrow middle and a function there: what bottleneck adapters put beside
/// or behind a layer.
///
///     A(x) = g (U f(D x + c₁) + c₂),  D (b, in), U (out, b)
struct Bottleneck {
    /// D and U.
    let down, up: Tensor
    /// c₁ and c₂, if there are any.
    let downBias, upBias: Tensor?
    /// f
    let activation: BottleneckActivation
    /// g where it trains (1).
    let learnedScale: Tensor?
    /// g where it does not.
    let scale: Double

    /// How D and U are drawn; biases start at zero, and a g that trains at 1.
    enum Start: Equatable, Sendable {
        /// Both from N(0, deviation²).
        case normal(deviation: Double)
        /// D as LoRA's A, U zero: A(x) = 0.
        case closed
    }

    /// - Parameters:
    ///   - weight: what the bottleneck is beside: it gets its place, and its type if that is wide.
    ///   - scale: g; nil for one that trains.
    init(
        from inputSize: Int, through size: Int, to outputSize: Int, start: Start,
        activation: BottleneckActivation, scale: Double? = 1, hasBias: Bool,
        beside weight: Tensor, using generator: Generator
    ) throws {
        func placed(_ tensor: Tensor) throws -> Tensor { try tensor.trained(beside: weight) }
        switch start {
        case .normal(let deviation):
            down = try placed(.normal([size, inputSize], deviation: deviation, using: generator))
            up = try placed(.normal([outputSize, size], deviation: deviation, using: generator))
        case .closed:
            down = try placed(.uniform([size, inputSize], inputs: inputSize, using: generator))
            up = try placed(.zeros([outputSize, size]))
        }
        downBias = hasBias ? try placed(.zeros([size])) : nil
        upBias = hasBias ? try placed(.zeros([outputSize])) : nil
        learnedScale = scale == nil ? try placed(.ones([1])) : nil
        self.scale = scale ?? 1
        self.activation = activation
    }

    /// The names are LLM-Adapters'.
    var parameters: [(name: String, value: Tensor)] {
        let all: [(name: String, value: Tensor?)] = [
            ("adapter_down.weight", down), ("adapter_down.bias", downBias),
            ("adapter_up.weight", up), ("adapter_up.bias", upBias),
            ("adapter_scaling", learnedScale),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }

    /// f(D x + c₁)
    private func narrowed(_ x: Tensor) throws -> Tensor {
        try activation(x.linear(down.to(x.dtype), bias: downBias?.to(x.dtype)))
    }

    /// y + A(x) in the place of y (T, out), which nothing else has a use for; x (T, in).
    func added(_ x: Tensor, to y: Tensor) throws -> Tensor {
        guard upBias == nil else { return try y + self(x) }
        var inner = try narrowed(x)
        if let learnedScale {
            inner = try inner * learnedScale.to(x.dtype)
        } else if scale != 1 {
            inner = try scale * inner
        }
        return try y.add(productOf: inner, up.to(x.dtype).transposed())
    }

    /// x (..., in) to (..., out), in the type of x.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let inner = try narrowed(x)
        let output = try inner.linear(up.to(x.dtype), bias: upBias?.to(x.dtype))
        if let learnedScale { return try output * learnedScale.to(x.dtype) }
        return scale == 1 ? output : try scale * output
    }

    static func parameterCount(
        from inputSize: Int, through size: Int, to outputSize: Int, hasBias: Bool
    ) -> Int {
        size * (inputSize + outputSize) + (hasBias ? size + outputSize : 0)
    }
}

/// What stands between the two maps of a bottleneck.
public enum BottleneckActivation: String, CaseIterable, Sendable {
    case tanh, relu, gelu, silu
    /// Nothing: the bottleneck is linear.
    case identity

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        switch self {
        case .tanh: try Activation.tanh(x)
        case .relu: try Activation.relu(x)
        case .gelu: try Activation.gelu(x)
        case .silu: try Activation.silu(x)
        case .identity: x
        }
    }
}

/// A bottleneck at one linear layer.
final class BottleneckLayer: LinearAdapter {
    let bottleneck: Bottleneck
    private let place: BottleneckPlace
    /// Probability of dropping elements of the bottleneck's input.
    private let dropout: Double

    init(_ bottleneck: Bottleneck, at place: BottleneckPlace, dropout: Double) {
        self.bottleneck = bottleneck
        self.place = place
        self.dropout = dropout
    }

    var parameters: [(name: String, value: Tensor)] { bottleneck.parameters }

    func products(of step: PartStep) -> [MatrixProduct] {
        let sizes = place.sizes(outputSize: step.outputSize, inputSize: step.inputSize)
        // What stands before the layer needs the gradient there.
        let atLayer = MatrixProduct(step.rows, step.outputSize, step.inputSize)
        return step.path(through: bottleneck.down.size(0), from: sizes.from, to: sizes.to)
            + (place == .serialInput && !step.atInput ? [atLayer] : [])
    }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
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

/// Where a bottleneck stands at a linear layer y = W₀ x + b₀.
public enum BottleneckPlace: String, CaseIterable, Sendable {
    /// y + A(x)
    case parallel
    /// W₀ (x + A(x)) + b₀
    case serialInput = "serial-input"
    /// y + A(y)
    case serialOutput = "serial-output"

    /// What goes into the bottleneck and comes out of it at a layer.
    func sizes(outputSize: Int, inputSize: Int) -> (from: Int, to: Int) {
        switch self {
        case .parallel: (inputSize, outputSize)
        case .serialInput: (inputSize, inputSize)
        case .serialOutput: (outputSize, outputSize)
        }
    }
}
