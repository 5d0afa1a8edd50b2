import FineTuning

/// A method of the client's own: every output of a layer is scaled.
///
///     W' = diag(1 + s l) W₀,  l (out)
struct RowScaling: LinearAdapterMethod {
    static let facts = MethodFacts(
        name: "row-scaling", title: "Row scaling", equation: "W' = diag(1 + s l) W0",
        parameterFormula: "d", merges: true, source: "the client")
    static let format = AdapterFormat("ROW_SCALING")
    static let hyperparameters: [Hyperparameter<RowScaling>] = [
        Hyperparameter("row-scale", \.scale, .positive, "s.", key: "row_scale")
    ]

    var scale = 4.0
    let defaultLearningRate = 1e-2

    func parameterCount(outputSize: Int, inputSize: Int) -> Int { outputSize }

    func makeAdapter(
        for base: FineTuning.Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        RowScalingLayer(factors: try .zeros([base.outputSize]), scale: scale)
    }
}

final class RowScalingLayer: WeightChange {
    /// l (out)
    private let factors: Tensor
    private let scale: Double

    init(factors: Tensor, scale: Double) { (self.factors, self.scale) = (factors, scale) }

    var parameters: [(name: String, value: Tensor)] { [("row_factors", factors)] }

    func weightUpdate(for base: FineTuning.Linear) throws -> Tensor {
        try (scale * factors).expandedDimension(at: 1) * base.weight.value
    }

    func callAsFunction(
        _ x: Tensor, through base: FineTuning.Linear, mode: ForwardMode
    ) throws -> Tensor {
        try base.frozen(x) + x.linear(weightUpdate(for: base).to(x.dtype))
    }
}
