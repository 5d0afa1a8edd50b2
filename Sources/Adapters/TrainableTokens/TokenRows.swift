import DualModules
import DualTorch

/// Rows of an embedding that take the place of the model's own, for some tokens alone.
///
///     W'[tᵢ] = Rᵢ,  R (n, size) trains; every other row is the model's
///
/// Reference: PEFT's `TrainableTokensLayer`, whose "delta" these rows are, though nothing is added to them.
final class TokenRows: EmbeddingChange {
    /// t, each once.
    let ids: [Int]
    /// R (n, size)
    let rows: Tensor
    /// t (n) of int64.
    private let numbers: Tensor
    /// By token: the number of its row in R, and whether it has one.
    private let places, members: Tensor

    /// The rows as the model has them.
    /// - Parameter ids: numbers of rows of `weight` (count, size), each once.
    init(_ ids: [Int], of weight: StoredWeight) throws {
        self.ids = ids
        let (count, device) = (weight.size(0), weight.device)
        let numbers = try Tensor(ids).to(device: device)
        self.numbers = numbers
        var places = [Int](repeating: 0, count: count)
        for (place, id) in ids.enumerated() { places[id] = place }
        self.places = try Tensor(places).to(device: device)
        members =
            try Tensor.zeros([count], device: device).copy(
                Tensor.ones([ids.count], device: device), toRows: numbers) > 0
        rows = try withoutGradient {
            try weight.detached().gathered(rows: numbers).wide().cloned()
        }
    }

    static let name = "token_adapter.trainable_tokens_delta"

    var parameters: [(name: String, value: Tensor)] { [(Self.name, rows)] }

    func callAsFunction(_ indices: Tensor, through base: Embedding) throws -> Tensor {
        let found = try base.frozen(indices)  // (..., size)
        let flat = try indices.reshaped(-1)
        let own = try rows.gathered(rows: places.gathered(rows: flat)).to(found.dtype)
        let isOwn = try members.gathered(rows: flat).expandedDimension(at: 1)
        return try own.selected(where: isOwn, otherwise: found.reshaped(-1, found.size(-1)))
            .reshaped(found.shape)
    }

    func weightUpdate(for base: Embedding) throws -> Tensor {
        let weight = try base.weight.value.detached().to(rows.dtype)
        return try replacing(in: weight) - weight
    }

    func updatedWeight(for base: Embedding) throws -> Tensor {
        try replacing(in: base.weight.value)
    }

    /// A matrix (count, size) with R in its rows t.
    func replacing(in weight: Tensor) throws -> Tensor {
        try weight.replacing(rows: numbers, with: rows.to(weight.dtype))
    }

    /// The outputs y (..., count) of a head with those of its rows t replaced by x Rᵀ.
    func replacing(in y: Tensor, of x: Tensor) throws -> Tensor {
        try y.replacing(rows: numbers, with: x.linear(rows.to(x.dtype)).to(y.dtype), along: -1)
    }
}

/// The same rows of a head's weight, whose outputs are the logits of these tokens.
final class HeadTokenRows: WeightChange {
    let tokens: TokenRows
    /// Whether the rows are the embedding's, whose weight the head shares: a file has them once, there.
    let followsEmbedding: Bool

    init(_ tokens: TokenRows, followsEmbedding: Bool = false) {
        self.tokens = tokens
        self.followsEmbedding = followsEmbedding
    }

    var parameters: [(name: String, value: Tensor)] {
        followsEmbedding ? [] : tokens.parameters
    }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        try tokens.replacing(in: base.frozen(x), of: x)
    }

    func weightUpdate(for base: Linear) throws -> Tensor {
        let weight = try base.weight.value.detached().to(tokens.rows.dtype)
        return try tokens.replacing(in: weight) - weight
    }

    func updatedWeight(for base: Linear) throws -> Tensor {
        try tokens.replacing(in: base.weight.value)
    }
}
