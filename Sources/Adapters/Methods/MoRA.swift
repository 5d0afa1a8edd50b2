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
    public static let peftType = "MORA"
    public static let foreignPeftTypes = ["LORA"]
    public static let options: [MethodOption] = [
        MethodOption("rank", "The LoRA rank that has as many numbers. Default 16."), .dropout,
        MethodOption(
            "mora-type",
            "How input and output are folded: 1 chunks, 2 groups, 3 groups to chunks, 4 chunks to "
                + "groups, 6 chunks turned by RoPE. Default 1."),
        MethodOption("bias", "Which biases train along: none, all, lora_only. Default none."),
    ]

    /// r, of the LoRA with as many numbers.
    public var rank: Int
    /// Probability of dropping elements of the adapter's input.
    public var dropout: Double
    public var trainedBiases = TrainedBiases.none
    var kind = SquareFolding.Kind.chunks

    public init(rank: Int = 16, dropout: Double = 0) {
        self.rank = rank
        self.dropout = dropout
    }

    public var settings: MethodOptions {
        MethodOptions(chosen: [
            "rank": rank, "dropout": dropout, "mora-type": kind.rawValue,
            "bias": trainedBiases.name(adapted: "lora_only"),
        ])
    }

    public init(_ options: MethodOptions) throws {
        let given = try options.of(Self.self)
        self.init(rank: try given.rank() ?? 16, dropout: try given.probability() ?? 0)
        if let number = try given.integer("mora-type") {
            guard let chosen = SquareFolding.Kind(rawValue: number) else {
                throw given.bad("mora-type", "\(number) is none of \(Self.kinds)")
            }
            kind = chosen
        }
        trainedBiases = try given.biases(adapted: "lora_only")
    }

    private static var kinds: String {
        SquareFolding.Kind.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
    }

    private func side(_ outputSize: Int, _ inputSize: Int) -> Int {
        SquareFolding.side(kind, rank: rank, outputSize: outputSize, inputSize: inputSize)
    }

    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        side(outputSize, inputSize) * side(outputSize, inputSize)
    }

    public let defaultLearningRate = 1e-3

    public func makeAdapter(
        for base: Linear, using generator: Generator
    ) throws -> any LinearAdapter {
        let side = side(base.outputSize, base.inputSize)
        let folding = SquareFolding(
            kind: kind, side: side, inputSize: base.inputSize, outputSize: base.outputSize)
        return try MoRALayer(
            matrix: .trainable([side, side], for: base), folding: folding, dropout: dropout)
    }

    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        ["lora_A.weight": side(outputSize, inputSize)]
    }

    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        [
            "use_mora": true, "mora_type": kind.rawValue, "r": rank, "lora_dropout": dropout,
            "bias": trainedBiases.name(adapted: "lora_only"), "fan_in_fan_out": false,
        ]
    }

    public static func reads(_ file: ConfigurationFile) -> Bool {
        file.fields["use_mora"] as? Bool == true
    }

    public static func isRepeated(_ key: String) -> Bool { twin(of: key) != nil }

    public static func twin(of key: String) -> String? {
        let ending = "lora_B.weight"
        return key.hasSuffix("." + ending) ? key.dropLast(ending.count) + "lora_A.weight" : nil
    }

    public init(_ file: ConfigurationFile) throws {
        self.init(
            rank: try file.rank("r", default: 8),
            dropout: try file.probability("lora_dropout", default: 0))
        let number = try file.integer("mora_type") ?? 1
        guard let chosen = SquareFolding.Kind(rawValue: number) else {
            throw file.bad("mora_type", found: "\(number)", expected: "one of \(Self.kinds)")
        }
        kind = chosen
        trainedBiases = try file.biases(adapted: "lora_only")
        try file.refuse(["rank_pattern", "use_dora", "layer_replication"])
    }
}

/// One layer's MoRA: `matrix` is M (r̂, r̂).
package final class MoRALayer: WeightChange {
    let matrix: Tensor
    private let folding: SquareFolding
    private let rotation: ChunkRotation?
    private let dropout: Double

    init(matrix: Tensor, folding: SquareFolding, dropout: Double) throws {
        self.matrix = matrix
        self.folding = folding
        self.dropout = dropout
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
