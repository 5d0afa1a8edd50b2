import DualModules
import DualTorch

extension DoRA: EmbeddingAdapterMethod {
    public func makeAdapter(
        for base: Embedding, using generator: Generator
    ) throws -> any EmbeddingAdapter {
        let lora = try lora.makeEmbedding(for: base, using: generator)
        let norms = AdaptedRowNorms()
        let columns = try base.weight.value.transposed()
        return DoRAEmbedding(lora, magnitude: try norms.ofBase(.plain(columns)).squareRoot())
    }
}

/// One embedding's DoRA: every column of V = W₀ + s (B A)ᵀ (count, size) has a length of its own, m (size).
///
/// Reference: PEFT's `DoraEmbeddingLayer`.
final class DoRAEmbedding: EmbeddingChange {
    private let lora: LoRAEmbedding
    private let magnitude: Tensor
    private let norms = AdaptedRowNorms()
    /// The columns of W₀ as rows, one tensor for as long as W₀ is one: norms are kept by it.
    private var columns: (weight: Tensor, transposed: Tensor)?

    init(_ lora: LoRAEmbedding, magnitude: Tensor) {
        (self.lora, self.magnitude) = (lora, magnitude)
    }

    var parameters: [(name: String, value: Tensor)] {
        lora.parameters + [(DoRALayer.magnitudeName, magnitude)]
    }

    /// m / n (size), with n as a constant.
    private func factors(_ weight: Tensor) throws -> Tensor {
        if columns?.weight !== weight { columns = (weight, try weight.transposed()) }
        let transposed = try columns?.transposed ?? weight.transposed()
        return try magnitude
            / norms.norms(
                .plain(transposed), down: lora.down, up: lora.up, scale: lora.scale)
    }

    /// The definition: V diag(m / n).
    private func scaledDirection(_ base: Embedding) throws -> Tensor {
        let weight = try base.weight.value
        let direction = try weight.to(magnitude.dtype) + lora.weightUpdate(for: base)
        return try direction * factors(weight)
    }

    func weightUpdate(for base: Embedding) throws -> Tensor {
        try scaledDirection(base) - base.weight.value.to(magnitude.dtype)
    }

    func updatedWeight(for base: Embedding) throws -> Tensor {
        try scaledDirection(base).to(base.weight.value.dtype)
    }

    func callAsFunction(_ indices: Tensor, through base: Embedding) throws -> Tensor {
        let found = try base.frozen(indices)
        let direction = try found.to(magnitude.dtype) + lora.path(indices)
        return try (direction * factors(base.weight.value)).to(found.dtype)
    }
}
