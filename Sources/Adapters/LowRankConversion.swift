import DualModules
import DualTorch

/// Another adapter's change as the best LoRA of a rank, for tools that know LoRA alone.
///
///     B A = Σ_{i ≤ r} σᵢ uᵢ vᵢᵀ,  the leading singular triples of ΔW;  B = U √Σ, A = √Σ Vᵀ, α = r
///
/// No matrix of rank r is nearer to ΔW in the Frobenius norm: Eckart & Young 1936.
public struct LowRankConversion {
    /// What is lost of one layer's change.
    public struct Loss: Sendable {
        public let path: String
        /// ‖ΔW‖ and ‖ΔW - B A‖, of Frobenius.
        public let norm, error: Double

        /// The share of ΔW's norm that is lost; 0 where nothing changes.
        public var share: Double { norm > 0 ? error / norm : 0 }
    }

    /// The LoRA, taken out of the model; it brings the same saved modules.
    public let adapter: AdapterSet
    public let losses: [Loss]

    /// The lost share of all layers' changes together.
    public var lostShare: Double {
        func total(_ part: KeyPath<Loss, Double>) -> Double {
            losses.reduce(0) { $0 + $1[keyPath: part] * $1[keyPath: part] }.squareRoot()
        }
        return total(\.norm) > 0 ? total(\.error) / total(\.norm) : 0
    }

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
        let places = set.parts.compactMap { placed in
            placed.layer.flatMap { layer in
                (placed.part as? any LinearAdapter).map { (layer: layer, adapter: $0) }
            }
        }
        var method = LoRA(rank: rank, alpha: Double(rank))
        method.trainedBiases = set.method.trainedBiases
        method.hasBias = try places.contains { try $0.adapter.biasUpdate(for: $0.layer) != nil }
        var (parts, losses) = ([PlacedPart](), [Loss]())
        for (layer, adapter) in places {
            let (converted, loss) = try Self.converted(adapter, of: layer, method)
            parts.append(PlacedPart(.linear(layer), converted))
            losses.append(loss)
            try progress(loss)
        }
        self.losses = losses
        adapter = AdapterSet(
            method, AdapterParts(parts), targets: set.targets, savedParameters: set.savedParameters,
            form: set.form, of: set.slots)
    }

    private static func converted(
        _ adapter: any LinearAdapter, of layer: Linear, _ method: LoRA
    ) throws -> (LoRALayer, Loss) {
        let rank = method.rank
        return try withoutGradient {
            let update = try adapter.weightUpdate(for: layer).detached().wide()
            let norm = try update.norm().item()
            guard norm.isFinite else {
                throw AdapterError.notFinite(place: "the change of \(layer.path)")
            }
            let (d, k) = (layer.outputSize, layer.inputSize)
            let kept = min(rank, d, k)
            let found = try TruncatedSVD(update, rank: kept)
            let roots = try found.values.squareRoot()
            // A rank beyond the layer's own sizes has nothing to hold: zeros.
            func zeros(_ shape: [Int]) throws -> Tensor {
                try .zeros(shape, dtype: update.dtype, device: update.device)
            }
            let (up, down) = (try zeros([d, rank]), try zeros([rank, k]))
            _ = try up.slice(0..<kept, along: 1).copy(from: found.left * roots)
            _ = try down.slice(0..<kept).copy(from: found.right * roots.reshaped(-1, 1))
            let loss = Loss(
                path: layer.path, norm: norm,
                error: try (update - up.matmul(down)).norm().item())
            let bias = try adapter.biasUpdate(for: layer)?.detached().to(update.dtype).cloned()
            return (
                LoRALayer(
                    down: down, up: up, upBias: method.hasBias ? try bias ?? zeros([d]) : nil,
                    scale: 1, dropout: 0), loss
            )
        }
    }
}
