import DualModules
import DualTorch

extension LoRA: EmbeddingAdapterMethod {
    /// PEFT's start of an embedding's LoRA: A₀ = 0, B₀ of the normal distribution.
    public func makeAdapter(
        for base: Embedding, using generator: Generator
    ) throws -> any EmbeddingAdapter {
        try makeEmbedding(for: base, using: generator)
    }

    /// The same, for methods that put more around it.
    func makeEmbedding(
        for base: Embedding, using generator: Generator
    ) throws -> LoRAEmbedding {
        guard !hasBias else {
            throw AdapterError.badOption(
                method: Self.facts.name, option: "lora-bias",
                reason: "an embedding such as '\(base.path)' has no bias")
        }
        let weight = base.weight.stored
        let rank = try rank(at: base.path)
        let alpha = try alphas.value(for: base.path) ?? alpha
        return LoRAEmbedding(
            down: try Tensor.zeros([rank, weight.size(0)]).trained(beside: weight),
            up: try Tensor.normal([weight.size(1), rank], deviation: 1, using: generator)
                .trained(beside: weight), scale: scale(rank: rank, alpha: alpha))
    }
}

extension LoRAPlus: EmbeddingAdapterMethod {
    public func makeAdapter(
        for base: Embedding, using generator: Generator
    ) throws -> any EmbeddingAdapter {
        try lora.makeAdapter(for: base, using: generator)
    }
}

/// One embedding's LoRA: W' = W₀ + s (B A)ᵀ, `down` is A (r, count), `up` is B (size, r).
///
/// Reference: PEFT's `lora.Embedding`, which drops nothing.
final class LoRAEmbedding: EmbeddingChange {
    let down, up: Tensor
    let scale: Double

    init(down: Tensor, up: Tensor, scale: Double) {
        (self.down, self.up, self.scale) = (down, up, scale)
    }

    var parameters: [(name: String, value: Tensor)] {
        [("lora_embedding_A", down), ("lora_embedding_B", up)]
    }

    func weightUpdate(for base: Embedding) throws -> Tensor {
        try scale * up.matmul(down).transposed()
    }

    /// s Aᵀ[x] Bᵀ (..., size), in the type of A and B.
    func path(_ indices: Tensor) throws -> Tensor {
        try scale * down.transposed().embedding(indices).linear(up)
    }

    func callAsFunction(_ indices: Tensor, through base: Embedding) throws -> Tensor {
        let found = try base.frozen(indices)
        return try (found.to(up.dtype) + path(indices)).to(found.dtype)
    }
}

/// A head that goes on sharing the embedding's weight, and so its LoRA: PEFT's `ensure_weight_tying`.
final class TiedHeadLoRA: WeightChange {
    private let embedding: Embedding
    private let lora: LoRAEmbedding
    private let layer: LoRALayer

    init(_ lora: LoRAEmbedding, of embedding: Embedding) throws {
        (self.lora, self.embedding) = (lora, embedding)
        layer = LoRALayer(
            down: try lora.up.transposed(), up: try lora.down.transposed(), scale: lora.scale,
            dropout: 0)
    }

    /// The embedding's.
    var parameters: [(name: String, value: Tensor)] { [] }

    /// What a file has of the head besides: the embedding's once more.
    var repeated: [(name: String, value: Tensor)] { layer.parameters }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        try layer(x, through: base, mode: mode)
    }

    func weightUpdate(for base: Linear) throws -> Tensor { try lora.weightUpdate(for: embedding) }
}
