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

    /// - Parameters:
    ///   - set: in its model's slots or not; it stays where it is.
    ///   - progress: gets every layer's loss when it is known.
    /// - Throws: ``AdapterError/doesNotMerge(method:)``.
    public init(
        of set: AdapterSet, rank: Int, progress: (Loss) throws -> Void = { _ in }
    ) throws {
        try set.checkMerges()
        let method = LoRA(rank: rank, alpha: Double(rank))
        var (parts, losses) = ([PlacedPart](), [Loss]())
        for placed in set.parts {
            guard let layer = placed.layer, let adapter = placed.part as? any LinearAdapter else {
                continue
            }
            let (converted, loss) = try Self.converted(adapter, of: layer, rank: rank)
            parts.append(PlacedPart(.linear(layer), converted))
            losses.append(loss)
            try progress(loss)
        }
        self.losses = losses
        adapter = AdapterSet(
            method, AdapterParts(parts), targets: set.targets, savedParameters: set.savedParameters,
            of: set.slots)
    }

    private static func converted(
        _ adapter: any LinearAdapter, of layer: Linear, rank: Int
    ) throws -> (LoRALayer, Loss) {
        try withoutGradient {
            let update = try adapter.weightUpdate(for: layer).detached().wide()
            let (d, k) = (layer.outputSize, layer.inputSize)
            let kept = min(rank, d, k)
            let found = try TruncatedSVD(update, rank: kept)
            let roots = try found.values.squareRoot()
            // A rank beyond the layer's own sizes has nothing to hold: zeros.
            let up = try Tensor.zeros([d, rank], dtype: update.dtype)
            let down = try Tensor.zeros([rank, k], dtype: update.dtype)
            _ = try up.slice(0..<kept, along: 1).copy(from: found.left * roots)
            _ = try down.slice(0..<kept).copy(from: found.right * roots.reshaped(-1, 1))
            let loss = Loss(
                path: layer.path, norm: try update.norm().item(),
                error: try (update - up.matmul(down)).norm().item())
            return (LoRALayer(down: down, up: up, scale: 1, dropout: 0), loss)
        }
    }
}
