import DualModules
import DualTorch

/// Adapter-L: a bottleneck behind every block, with a norm of its own.
///
///     h ← h + U f(D LN(h) + c₁) + c₂,  D (b, E), U (E, b), U₀ = 0
///
/// Lin et al. 2020, "Exploring Versatile Generative Language Model Via Parameter-Efficient Transfer
/// Learning", arXiv:2004.03829, section 2; after the feed-forward alone, as the LoRA paper counts
/// it (arXiv:2106.09685, section 5.1), and with ReLU. With the placement "houlsby" there are two a
/// block, at the ends of attention and feed-forward before their residuals, without norms, from
/// N(0, 0.01²) and with GELU: Houlsby et al. 2019, arXiv:1902.00751, section 2.
public struct AdapterL: BlockAdapterMethod {
    public static let facts = MethodFacts(
        name: "adapter-l", title: "Adapter-L", equation: "h + U f(D LN(h) + c1) + c2",
        parameterFormula: "2 h b + b + 3 h a block", merges: false,
        source: "Lin et al. 2020, arXiv:2004.03829")
    public static let format = AdapterFormat("ADAPTER_L")
    public static let hyperparameters: [Hyperparameter<AdapterL>] = [
        Hyperparameter(
            "bottleneck", \.bottleneck, .rank, "b, the size between the two maps.",
            key: "bottleneck_size"
        ).firstSize(of: "adapter_down.weight") { method, _ in method.bottleneck },
        Hyperparameter(
            "placement", \.placement, .choice,
            "lin (one behind every block) or houlsby (two in every block).", key: "placement"),
        Hyperparameter(
            "activation", \.activation, .choice, "f: tanh, relu, gelu, silu, identity.",
            default: Placement.allCases.map { "\($0.activation) of \($0)" }
                .joined(separator: ", "),
            standard: \.placement.activation, key: "non_linearity"),
    ]

    public enum Placement: String, CaseIterable, Sendable {
        case lin, houlsby

        var activation: BottleneckActivation { self == .lin ? .relu : .gelu }
    }

    /// b
    public var bottleneck: Int
    public var placement: Placement
    public var activation: BottleneckActivation

    public init() { self.init(activation: nil) }

    public init(
        bottleneck: Int = 64, placement: Placement = .lin, activation: BottleneckActivation? = nil
    ) {
        self.bottleneck = bottleneck
        self.placement = placement
        self.activation = activation ?? placement.activation
    }

    /// Of one block of that hidden size.
    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        let one = Bottleneck.parameterCount(
            from: inputSize, through: bottleneck, to: inputSize, hasBias: true)
        return placement == .lin ? one + 2 * inputSize : 2 * one
    }

    public var standardTargets: TargetSelection.Rule {
        placement == .houlsby ? .branchEnds : .standard
    }

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        guard placement == .houlsby else {
            return try makeBlockParts(for: slots, targets: targets, using: generator)
        }
        let layers = try targets.standing(for: standardTargets).layers(of: slots)
        return AdapterParts(
            try layers.map { layer in
                let bottleneck = try bottleneck(
                    of: layer.outputSize, start: .normal(deviation: 0.01),
                    beside: layer.weight.stored, using: generator)
                return .linear(layer, BottleneckLayer(bottleneck, at: .serialOutput, dropout: 0))
            })
    }

    public func makeAdapter(
        for block: BlockEnd, using generator: Generator
    ) throws -> any BlockAdapter {
        try NormedBottleneck(
            bottleneck(
                of: block.hiddenSize, start: .closed, beside: block.norm.stored, using: generator),
            beside: block.norm.value.wide())
    }

    private func bottleneck(
        of size: Int, start: Bottleneck.Start, beside weight: StoredWeight,
        using generator: Generator
    ) throws -> Bottleneck {
        try Bottleneck(
            from: size, through: bottleneck, to: size, start: start, activation: activation,
            hasBias: true, beside: weight, using: generator)
    }
}

/// A bottleneck behind a block, which reads the block's output through a norm of its own.
package final class NormedBottleneck: BlockAdapter {
    let bottleneck: Bottleneck
    /// The norm's scale and shift (E).
    let weight, bias: Tensor
    /// PyTorch's own.
    private static let epsilon = 1e-5

    init(_ bottleneck: Bottleneck, beside norm: Tensor) throws {
        self.bottleneck = bottleneck
        weight = try .ones(norm.shape, dtype: norm.dtype, device: norm.device)
        bias = try .zeros(norm.shape, dtype: norm.dtype, device: norm.device)
    }

    /// b
    package var size: Int { bottleneck.down.size(0) }

    package var parameters: [(name: String, value: Tensor)] {
        [("adapter_norm.weight", weight), ("adapter_norm.bias", bias)] + bottleneck.parameters
    }

    package func callAsFunction(
        _ x: Tensor, at place: TokenPlaces, mode: ForwardMode
    ) throws -> Tensor {
        let normed = try x.layerNorm(
            adding: nil, weight: weight.to(x.dtype), bias: bias.to(x.dtype), epsilon: Self.epsilon
        ).normed
        return try x + bottleneck(normed)
    }
}
