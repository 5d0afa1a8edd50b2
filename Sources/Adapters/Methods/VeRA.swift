import DualModules
import DualTorch

/// VeRA: a path of low rank through random matrices that are frozen and shared by all layers, of
/// which only the scales train.
///
///     W' = W₀ + diag(b) B diag(e) A,  A (r, in), B (out, r) frozen, e (r) = d_initial, b (out) = 0
///
/// Kopiczko et al. 2023, arXiv:2310.11454. Reference: PEFT's `VeraModel`, whose file format
/// this is. A and B have the size of the largest layer and each layer takes the first columns and
/// rows. Both are uniform within ±√(6 / fan in), drawn from `projection_prng_key` as PEFT draws them,
/// A before B, so that files without them are read the same, bit for bit.
public struct VeRA: LinearAdapterMethod, SharedProjectionMethod {
    public static let facts = MethodFacts(
        name: "vera", title: "VeRA", equation: "W' = W0 + diag(b) B diag(e) A",
        parameterFormula: "d + r", merges: true,
        source: "Kopiczko et al. 2023, arXiv:2310.11454")
    // PEFT's configuration knows no `exclude_modules`.
    public static let format = AdapterFormat("VERA") {
        $0.constants = ["init_weights": true]
        ($0.hasExclusion, $0.hasStorage, $0.hasTokenIndices) = (false, true, false)
        $0.sharedTensors = ["vera_A", "vera_B"]
    }
    public static let hyperparameters: [Hyperparameter<VeRA>] =
        [
            .rank(\.rank, "Rank of the frozen matrices.")
                .firstSize(of: "vera_lambda_d") { method, _ in method.rank },
            Hyperparameter(
                "d-initial", \.initialScale,
                .number.refusing {
                    $0.isFinite && $0 != 0
                        ? nil : "\($0) is no scale that an adapter can train at"
                }, "Where the inner scales start.", key: "d_initial"),
            .dropout(\.dropout, key: "vera_dropout"),
            .biases(\.trainedBiases, adapted: "vera_only"),
        ] + Hyperparameter.projections

    public var rank: Int
    /// e at the start.
    public var initialScale: Double
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var trainedBiases = TrainedBiases.none
    var projections = SharedProjections()

    public init() { self.init(dropout: 0) }

    public init(rank: Int = 256, initialScale: Double = 0.1, dropout: Double = 0) {
        self.rank = rank
        self.initialScale = initialScale
        self.dropout = dropout
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int { outputSize + rank }

    public let defaultLearningRate = 3e-2

    /// A and B for layers of these sizes at most.
    private func drawProjections(for layers: [Linear]) throws -> (down: Tensor, up: Tensor) {
        let generator = try Generator(seed: projections.seed)
        func draw(_ rows: Int, _ columns: Int) throws -> Tensor {
            // PyTorch's Kaiming bound, rounded where it rounds.
            let bound = 3.0.squareRoot() * (2.0.squareRoot() / Double(columns).squareRoot())
            let drawn = try Tensor.uniform(
                [rows, columns], from: -bound, to: bound, using: generator)
            return try layers.first.map(drawn.trained(beside:)) ?? drawn
        }
        let down = try draw(rank, layers.map(\.inputSize).max() ?? 0)
        return (down, try draw(layers.map(\.outputSize).max() ?? 0, rank))
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        let (down, up) = try drawProjections(for: [base])
        return try VeRALayer(self, for: base, down, up)
    }

    public func makeAdapters(
        for layers: [Linear], using generator: Generator
    ) throws -> AdapterParts {
        let (down, up) = try drawProjections(for: layers)
        return AdapterParts(
            try layers.map { .linear($0, try VeRALayer(self, for: $0, down, up)) },
            shared: [("vera_A", down), ("vera_B", up)], savesShared: projections.areSaved)
    }
}

/// One layer's VeRA: `down` is A (r, in) and `up` B (out, r), views of what all layers share.
package final class VeRALayer: LowRankChange {
    package let down, up: Tensor
    let outer, inner: Tensor
    private let dropout: Double

    /// - Parameter down, up: as large as the largest layer needs.
    fileprivate init(_ method: VeRA, for base: Linear, _ down: Tensor, _ up: Tensor) throws {
        self.down = try down.slice(0..<base.inputSize, along: 1)
        self.up = try up.slice(0..<base.outputSize)
        outer = try .trainable([base.outputSize], for: base)
        inner = try .trainable([method.rank], method.initialScale, for: base)
        dropout = method.dropout
    }

    package var parameters: [(name: String, value: Tensor)] {
        [("vera_lambda_b", outer), ("vera_lambda_d", inner)]
    }

    /// The definition.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        let columns = try [outer, inner].map { try $0.expandedDimension(at: 1) }
        return try (columns[0] * up).matmul(columns[1] * down)
    }

    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        let path = ScaledProjections(down: down, up: up, inner: inner, outer: outer)
        return try base.changed(x, dropout: dropout, mode: mode) { input, weight, bias in
            try input.linear(
                beside: path, weight: weight, bias: bias, outputSize: base.outputSize)
        }
    }
}
