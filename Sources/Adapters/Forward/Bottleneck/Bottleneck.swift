import DualTorch

/// Two linear maps with a narrow middle and a function there, which bottleneck adapters put beside or
/// behind a layer.
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
    ///   - weight: of the layer or norm that the bottleneck is at; it gets its device, and its type if
    ///     that is wide.
    ///   - scale: g; nil for one that trains.
    init(
        from inputSize: Int, through size: Int, to outputSize: Int, start: Start,
        activation: BottleneckActivation, scale: Double? = 1, hasBias: Bool,
        beside weight: StoredWeight, using generator: Generator
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
