import DualTorch

/// `y = x Wᵀ + b`, with a slot for an adapter.
public final class Linear {
    /// The module's path in the reference implementation, without `.weight`.
    public let path: String
    /// (out, in)
    public private(set) var weight: Parameter
    /// (out), if any.
    public let bias: Parameter?
    public let inputSize: Int
    public var outputSize: Int { weight.stored.size(0) }
    /// The adapter through which the layer is run; nil for the layer alone.
    public var adapter: (any LinearAdapter)?

    /// - Parameter isHead: whether it is the model's last layer, whose weight is not quantised.
    public init(
        _ scope: WeightScope, from inputSize: Int, to outputSize: Int, bias hasBias: Bool = true,
        deviation: Double = 0.02, storage: Parameter.Storage = .asIs, isHead: Bool = false
    ) throws {
        path = scope.path
        weight = try scope.parameter(
            "weight", shape: [outputSize, inputSize], initial: .normal(deviation: deviation),
            storage: storage, isQuantizable: !isHead)
        bias = hasBias ? try scope.parameter("bias", shape: [outputSize], initial: .zeros) : nil
        self.inputSize = inputSize
    }

    /// A layer of given tensors.
    public init(path: String, weight: Tensor, bias: Tensor? = nil) {
        self.path = path
        self.weight = Parameter(name: path + ".weight", value: weight)
        self.bias = bias.map { Parameter(name: path + ".bias", value: $0) }
        inputSize = weight.size(1)
    }

    /// A layer that shares its weight with another module, such as a head with the embedding.
    public init(path: String, sharing weight: Parameter) {
        self.path = path
        self.weight = weight
        bias = nil
        inputSize = weight.stored.size(1)
    }

    /// Computes with another weight of the same shape from now on.
    func take(_ weight: Parameter) { self.weight = weight }

    /// (..., in) to (..., out), computed in the type of `x`.
    public func callAsFunction(_ x: Tensor, mode: ForwardMode = .inference) throws -> Tensor {
        guard let adapter else { return try frozen(x) }
        return try adapter(x, through: self, mode: mode)
    }

    /// The layer without its adapter.
    public func frozen(_ x: Tensor) throws -> Tensor {
        try x.projected(by: weight.stored, bias: bias?.value)
    }

    /// Several layers of one x: their products come together where no adapter stands between.
    public static func together(
        _ layers: [Linear], _ x: Tensor, mode: ForwardMode = .inference
    ) throws -> [Tensor] {
        if layers.allSatisfy({ $0.adapter == nil }) {
            let matrices = try layers.map {
                (weight: $0.weight.stored, bias: try $0.bias?.value.to(x.dtype))
            }
            if let products = try x.narrowProducts(matrices) { return products }
        }
        return try layers.map { try $0(x, mode: mode) }
    }
}
