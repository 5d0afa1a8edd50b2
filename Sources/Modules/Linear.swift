import DualTorch

/// A change to one linear layer, which its slot holds.
public protocol LinearAdapter: AdapterPart {
    /// ΔW (out, in) as the method's paper defines it, in the parameters' type, differentiable.
    func weightUpdate(for base: Linear) throws -> Tensor

    /// W + ΔW in the type of W, outside the graph.
    func updatedWeight(for base: Linear) throws -> Tensor

    /// Δb (out), differentiable, of methods that change the bias too; nil of the others.
    func biasUpdate(for base: Linear) throws -> Tensor?

    /// The adapted layer: x (..., in) to (..., out), in the type of `x`.
    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor
}

extension LinearAdapter {
    public func biasUpdate(for base: Linear) throws -> Tensor? { nil }

    /// The sum is formed in float32, or in W's type if that is wider.
    public func updatedWeight(for base: Linear) throws -> Tensor {
        let weight = base.weight.value
        let wide: DType = weight.dtype == .float64 ? .float64 : .float32
        return try (weight.to(wide) + weightUpdate(for: base).to(wide)).to(weight.dtype)
    }
}

/// `y = x Wᵀ + b`, with a slot for an adapter.
public final class Linear {
    /// The module's path in the reference implementation, without `.weight`.
    public let path: String
    /// (out, in)
    public private(set) var weight: Parameter
    /// (out), if any.
    public let bias: Parameter?
    public let inputSize: Int
    public let outputSize: Int
    /// What stands in the slot changes the layer; nil gives the plain layer back.
    public var adapter: (any LinearAdapter)?

    public init(
        _ scope: WeightScope, from inputSize: Int, to outputSize: Int, bias hasBias: Bool = true,
        deviation: Double = 0.02, storage: Parameter.Storage = .asIs
    ) throws {
        path = scope.path
        weight = try scope.parameter(
            "weight", shape: [outputSize, inputSize], initial: .normal(deviation: deviation),
            storage: storage)
        bias = hasBias ? try scope.parameter("bias", shape: [outputSize], initial: .zeros) : nil
        self.inputSize = inputSize
        self.outputSize = outputSize
    }

    /// A layer of given tensors.
    public init(path: String, weight: Tensor, bias: Tensor? = nil) {
        self.path = path
        self.weight = Parameter(name: path + ".weight", value: weight)
        self.bias = bias.map { Parameter(name: path + ".bias", value: $0) }
        (outputSize, inputSize) = (weight.size(0), weight.size(1))
    }

    /// A layer that shares its weight with another module, such as a head with the embedding.
    public init(path: String, sharing weight: Parameter) {
        self.path = path
        self.weight = weight
        bias = nil
        (outputSize, inputSize) = (weight.value.size(0), weight.value.size(1))
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
        try x.projected(by: weight.value.to(x.dtype), bias: bias?.value.to(x.dtype))
    }

    /// Several layers of one x: their products come together where no adapter stands between.
    public static func together(
        _ layers: [Linear], _ x: Tensor, mode: ForwardMode = .inference
    ) throws -> [Tensor] {
        if layers.allSatisfy({ $0.adapter == nil }) {
            let matrices = try layers.map {
                (weight: try $0.weight.value.to(x.dtype), bias: try $0.bias?.value.to(x.dtype))
            }
            if let products = try x.narrowProducts(matrices) { return products }
        }
        return try layers.map { try $0(x, mode: mode) }
    }

    /// W + ΔW in the type of W.
    public func mergedWeight() throws -> Tensor {
        guard let adapter else { return weight.value }
        return try withoutGradient { try adapter.updatedWeight(for: self) }
    }

    /// b + Δb in the type of b; nil where there is neither.
    /// - Throws: ``MergeObstacle`` where there is a Δb and no b to add it to.
    public func mergedBias() throws -> Tensor? {
        try withoutGradient {
            guard let update = try adapter?.biasUpdate(for: self) else { return bias?.value }
            guard let own = bias?.value else { throw MergeObstacle.noBias(layer: path) }
            let wide: DType = own.dtype == .float64 ? .float64 : .float32
            return try (own.to(wide) + update.to(wide)).to(own.dtype)
        }
    }

    /// Puts W + ΔW in the place of W, and b + Δb in that of b, and empties the slot.
    /// - Throws: ``MergeObstacle``.
    public func mergeAdapter() throws {
        let (mergedWeight, mergedBias) = (try mergedWeight(), try mergedBias())
        weight.value = mergedWeight
        if let mergedBias { bias?.value = mergedBias }
        adapter = nil
    }
}

/// A change that a layer has no place for.
public enum MergeObstacle: Error, Equatable, CustomStringConvertible {
    case noBias(layer: String)

    public var description: String {
        switch self {
        case .noBias(let layer):
            "'\(layer)' cannot be merged: the adapter changes its bias, and it has none"
        }
    }
}
