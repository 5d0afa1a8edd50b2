import DualModules
import DualTorch

/// Another adapter's change as the best LoRA of a rank, for tools that know LoRA alone.
///
///     B A = Σ_{i ≤ r} σᵢ uᵢ vᵢᵀ,  the leading singular triples of ΔW;  B = U √Σ, A = √Σ Vᵀ, α = r
///
/// No matrix of rank r is nearer to ΔW in the Frobenius norm: Eckart & Young 1936.
public struct LowRankConversion {
    /// ‖ΔW‖ and ‖ΔW - B A‖ of one layer.
    public typealias Loss = ChangeLoss

    /// The LoRA, not in the model's slots; it brings the same saved modules.
    public let adapter: AdapterSet
    public let losses: [Loss]

    /// The lost share of all layers' changes together.
    public var lostShare: Double { losses.lostShare }

    /// Changes of biases come along whole.
    /// - Parameters:
    ///   - set: in its model's slots or not; it stays where it is.
    ///   - progress: gets every layer's loss when it is known.
    /// - Throws: ``AdapterError/doesNotMerge(method:)``, ``AdapterError/badOption(method:option:reason:)``
    ///   for a rank that is none, ``AdapterError/notFinite(place:)``.
    public init(
        of set: AdapterSet, rank: Int, progress: (Loss) throws -> Void = { _ in }
    ) throws {
        try set.checkMerges()
        guard ranks ~= rank else {
            throw AdapterError.badOption(
                method: LoRA.facts.name, option: "rank",
                reason: "\(rank) is not from 1 to \(ranks.upperBound)")
        }
        var method = LoRA(rank: rank, alpha: Double(rank))
        method.trainedBiases = set.method.trainedBiases
        method.hasBias = try set.weightChanges.contains {
            try $0.change.biasUpdate(for: $0.layer) != nil
        }
        var (parts, losses) = ([PlacedPart](), [Loss]())
        for part in set.parts {
            guard let (converted, loss) = try Self.converted(part, method) else { continue }
            parts.append(converted)
            losses.append(loss)
            try progress(loss)
        }
        self.losses = losses
        adapter = AdapterSet(
            method, AdapterParts(parts), tokenParts: set.tokenParts, targets: set.targets,
            savedParameters: set.savedParameters, form: set.form, of: set.slots)
    }

    /// The LoRA nearest to one part's change; nil for what changes no weight.
    private static func converted(
        _ part: PlacedPart, _ method: LoRA
    ) throws -> (part: PlacedPart, loss: Loss)? {
        switch part {
        case .linear(let layer, let change as any WeightChange):
            let (converted, loss) = try converted(change, of: layer, method)
            return (.linear(layer, converted), loss)
        case .embedding(let embedding, let change as any EmbeddingChange):
            return try withoutGradient {
                let update = try change.weightUpdate(for: embedding).detached().wide()
                let (down, up, loss) = try nearest(
                    to: update.transposed(), rank: method.rank, path: embedding.path)
                return (.embedding(embedding, LoRAEmbedding(down: down, up: up, scale: 1)), loss)
            }
        default: return nil
        }
    }

    /// The factors of the product that is nearest to ΔW (d, k), and what is lost.
    private static func nearest(
        to update: Tensor, rank: Int, path: String
    ) throws -> (down: Tensor, up: Tensor, loss: Loss) {
        let norm = try update.norm().item()
        guard norm.isFinite else { throw AdapterError.notFinite(place: "the change of \(path)") }
        let (down, up) = try factors(of: update, rank: rank)
        let error = try (update - up.matmul(down)).norm().item()
        return (down, up, Loss(path: path, norm: norm, error: error))
    }

    /// The LoRA nearest to one layer's change.
    private static func converted(
        _ change: any WeightChange, of layer: Linear, _ method: LoRA
    ) throws -> (LoRALayer, Loss) {
        try withoutGradient {
            let update = try change.weightUpdate(for: layer).detached().wide()
            let (down, up, loss) = try nearest(to: update, rank: method.rank, path: layer.path)
            let bias = try change.biasUpdate(for: layer)?.detached().to(update.dtype).cloned()
            let noBias = try Tensor.zeros(
                [layer.outputSize], dtype: update.dtype, device: update.device)
            return (
                LoRALayer(
                    down: down, up: up, upBias: method.hasBias ? bias ?? noBias : nil, scale: 1,
                    dropout: 0), loss
            )
        }
    }

    /// A (r, k) and B (d, r) of the leading singular triples of ΔW (d, k); a rank beyond the layer's own
    /// sizes holds zeros.
    private static func factors(of update: Tensor, rank: Int) throws -> (down: Tensor, up: Tensor) {
        let (d, k) = (update.size(0), update.size(1))
        let kept = min(rank, d, k)
        let triples = try TruncatedSVD(update, rank: kept)
        let roots = try triples.values.squareRoot()
        let up = try Tensor.zeros([d, rank], dtype: update.dtype, device: update.device)
        let down = try Tensor.zeros([rank, k], dtype: update.dtype, device: update.device)
        try up.slice(0..<kept, along: 1).copy(from: triples.left * roots)
        try down.slice(0..<kept).copy(from: triples.right * roots.reshaped(-1, 1))
        return (down, up)
    }
}
