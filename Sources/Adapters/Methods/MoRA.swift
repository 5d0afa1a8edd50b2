import DualModules
import DualTorch

/// MoRA: a square matrix of as many numbers as LoRA's factors, between two fixed maps.
///
///     y = W₀ x + decompress(M compress(x)),  M (r̂, r̂) = 0,  r̂ = ⌊√((in + out) r) + ½⌋
///
/// Jiang et al. 2024, arXiv:2405.12130. Reference: kongds/MoRA, a fork of PEFT; the types are
/// its `mora_type`, 1 (chunks) for large ranks, 6 (chunks turned as by RoPE) for small ones. There is no
/// scale: `lora_alpha` means nothing.
///
/// PEFT itself has no MoRA, and would load the fork's files, which call themselves LORA, as what they
/// are not. So these have a `peft_type` of their own, with the fork's other fields and M under its name,
/// `lora_A.weight`. The fork's files are read as well: they have M a second time, as `lora_B.weight`,
/// and both must be the same.
public struct MoRA: LinearAdapterMethod {
    public static let facts = MethodFacts(
        name: "mora", title: "MoRA", equation: "y = W0 x + decompress(M compress(x))",
        parameterFormula: "round(sqrt(r (d + k)))^2", merges: true,
        source: "Jiang et al. 2024, arXiv:2405.12130")
    public static let format = AdapterFormat("MORA") {
        $0.foreignPeftTypes = ["LORA"]
        $0.discriminators = ["use_mora": true]
        $0.refusedFields = ["rank_pattern", "use_dora", "layer_replication"]
        $0.hasStorage = true
        $0.twins = ["lora_B.weight": "lora_A.weight"]
    }
    public static let hyperparameters: [Hyperparameter<MoRA>] = [
        .rank(\.rank, "The LoRA rank that has as many numbers.", missing: 8), .dropout(\.dropout),
        Hyperparameter(
            "mora-type", \.kind, .numbered,
            "How input and output are folded: 1 chunks, 2 groups, 3 groups to chunks, 4 chunks to "
                + "groups, 6 chunks turned by RoPE.", key: "mora_type"),
        .biases(\.trainedBiases, adapted: "lora_only"),
    ]

    /// r, of the LoRA with as many numbers.
    public var rank: Int
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var trainedBiases = TrainedBiases.none
    var kind = SquareFolding.Kind.chunks

    public init() { self.init(dropout: 0) }

    public init(rank: Int = 16, dropout: Double = 0) {
        self.rank = rank
        self.dropout = dropout
    }

    private func side(_ outputSize: Int, _ inputSize: Int) -> Int {
        SquareFolding.side(kind, rank: rank, outputSize: outputSize, inputSize: inputSize)
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        side(outputSize, inputSize) * side(outputSize, inputSize)
    }

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        try MoRALayer(self, side: side(base.outputSize, base.inputSize), for: base)
    }

    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        ["lora_A.weight": side(outputSize, inputSize)]
    }
}

/// One layer's MoRA: `matrix` is M (r̂, r̂).
package final class MoRALayer: WeightChange {
    let matrix: Tensor
    private let folding: SquareFolding
    private let rotation: ChunkRotation?
    private let dropout: Double

    fileprivate init(_ method: MoRA, side: Int, for base: Linear) throws {
        matrix = try .trainable([side, side], for: base)
        folding = SquareFolding(
            kind: method.kind, side: side, inputSize: base.inputSize, outputSize: base.outputSize)
        dropout = method.dropout
        rotation = try folding.rotation(for: matrix)
    }

    /// r̂
    package var side: Int { folding.side }

    /// How often the matrix meets one token: once for each chunk, where these are turned.
    package var passesOfToken: Int { rotation == nil ? 1 : folding.chunks }

    package var parameters: [(name: String, value: Tensor)] { [("lora_A.weight", matrix)] }

    /// The definition: the path is linear in x.
    package func weightUpdate(for base: Linear) throws -> Tensor {
        try folding.update(matrix, rotation)
    }

    package func callAsFunction(
        _ x: Tensor, through base: Linear, mode: ForwardMode
    ) throws -> Tensor {
        guard let rotation else {
            let path = SquarePath(matrix: matrix, input: folding.input, output: folding.output)
            return try base.changed(x, dropout: dropout, mode: mode) { input, weight, bias in
                try input.linear(
                    beside: path, weight: weight, bias: bias, outputSize: base.outputSize)
            }
        }
        let input = try mode.dropping(x, probability: dropout)
        let chunks = try folding.turned(input, rotation)
        return try base.frozen(x) + folding.joined(chunks.linear(matrix.to(x.dtype)))
    }
}
