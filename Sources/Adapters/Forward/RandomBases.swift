import DualTorch

/// RandLoRA's frozen bases, which all layers share: A (r, 1, q) and B (p, N, r), for the largest
/// layer, of whose maximal output and input p is the larger and q the smaller, N = ⌈q / r⌉.
///
/// Drawn as PEFT does (`RandLoraModel`), bit for bit.
final class RandomBases {
    /// How PEFT draws.
    enum Kind: Equatable {
        /// Uniform in bfloat16, A within ±1/√q and B within ±1/√r.
        case dense
        /// ±1 with a probability of 1/6 each, else 0.
        case sparse
        /// ±1 with a probability of 1/(2√q) each, else 0.
        case verySparse
    }

    let small, large: Tensor
    /// B as another type, made at its first use: nothing writes to it after an adapter is read.
    private var copies: [DType: Tensor] = [:]

    init(small: Tensor, large: Tensor) {
        (self.small, self.large) = (small, large)
    }

    /// In float32, of deviation 1.
    /// - Throws: ``AdapterError`` for so few numbers that they have none.
    static func draw(
        _ kind: Kind, rank: Int, outputSize: Int, inputSize: Int, using generator: Generator
    ) throws -> (small: Tensor, large: Tensor) {
        let (p, q) = (max(outputSize, inputSize), min(outputSize, inputSize))
        let count = Self.count(q, rank: rank)
        func normalized(_ tensor: Tensor) throws -> Tensor {
            let deviation = try tensor.standardDeviation()
            guard try deviation.item() > 0 else {
                throw AdapterError.badOption(
                    method: RandLoRA.facts.name, option: "rank",
                    reason: "the \(tensor.count) random numbers of the bases are all alike; "
                        + "choose another rank or `projection-prng-key`")
            }
            return try (tensor / deviation).to(.float32)
        }
        guard kind == .dense else {
            let sparsity = kind == .sparse ? 3 : Double(q).squareRoot()
            let small = try signs([rank, 1, q], sparsity: sparsity, using: generator)
            let large = try signs([p, count, rank], sparsity: sparsity, using: generator)
            return (try normalized(small), try normalized(large))
        }
        let small = try uniform([rank, 1, q], using: generator)
        let large = try (0..<count).map { _ in try uniform([p, 1, rank], using: generator) }
        return (try normalized(small), try normalized(.joined(large, along: 1)))
    }

    /// N for a layer whose smaller size is q.
    static func count(_ q: Int, rank: Int) -> Int { (q + rank - 1) / rank }

    /// PyTorch's `kaiming_uniform_(a=√5)` of a tensor (·, 1, fan), rounded where it rounds.
    private static func uniform(_ shape: [Int], using generator: Generator) throws -> Tensor {
        let slope = 5.0.squareRoot()
        let gain = (2 / (1 + slope * slope)).squareRoot()
        let bound = 3.0.squareRoot() * (gain / Double(shape[2]).squareRoot())
        return try .uniform(shape, from: -bound, to: bound, dtype: .bfloat16, using: generator)
    }

    private static func signs(
        _ shape: [Int], sparsity: Double, using generator: Generator
    ) throws -> Tensor {
        let draws = try Tensor.uniform(shape, using: generator)
        let share = 1 / (2 * sparsity)
        return try (draws > 1 - share).to(.float32) - (draws < share).to(.float32)
    }

    /// B of one layer (p, N r), a base after the other.
    func large(_ p: Int, _ count: Int, as dtype: DType) throws -> Tensor {
        let whole = try copies[dtype] ?? large.to(dtype)
        copies[dtype] = whole
        return try whole.slice(0..<p).slice(0..<count, along: 1).reshaped(p, -1)
    }

    /// A of one layer (r, q).
    func small(_ q: Int) throws -> Tensor {
        try small.selecting(0, along: 1).slice(0..<q, along: 1)
    }
}
