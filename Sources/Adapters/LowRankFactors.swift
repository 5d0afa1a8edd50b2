import DualModules
import DualTorch

/// An adapter's changes of weights as two factors each under one α: all that a format says which knows
/// LoRA alone.
///
///     ΔW = (α / r) B A,  r: the rows of that A
public struct LowRankFactors {
    /// The change of one weight.
    public struct Change {
        let place: PlacedPart
        /// The path of the layer or the embedding.
        public let path: String
        /// A (r, in); of an embedding, whose change is the transpose of B A, (r, count).
        public let down: Tensor
        /// B (out, r); of an embedding (size, r).
        public let up: Tensor

        public var rank: Int { down.size(0) }
    }

    public let alpha: Double
    /// In the model's order.
    public let changes: [Change]

    /// The factors of a LoRA, as they are where one α says the scale of every layer, and else with B
    /// multiplied by what the layer's differs from it; nil for an adapter that is more than factors.
    /// - Parameter set: in its model's slots or not.
    public init?(of set: AdapterSet) throws {
        var plain: [(place: PlacedPart, down: Tensor, up: Tensor, scale: Double)] = []
        for part in set.parts {
            switch part {
            case .linear(_, let lora as LoRALayer) where lora.upBias == nil:
                plain.append((part, lora.down, lora.up, lora.scale))
            case .embedding(_, let lora as LoRAEmbedding):
                plain.append((part, lora.down, lora.up, lora.scale))
            default: return nil
            }
        }
        let alphas = plain.map { $0.scale * Double($0.down.size(0)) }
        let alpha = Self.mostFrequent(alphas) ?? 1
        self.alpha = alpha
        changes = try withoutGradient {
            try zip(plain, alphas).map { layer, own in
                let up = try layer.up.detached().to(.float32)
                return Change(
                    place: layer.place, path: String(layer.place.path.dropLast()),
                    down: try layer.down.detached().to(.float32),
                    up: Float(own) == Float(alpha) ? up : try (own / alpha) * up)
            }
        }
    }

    private init(alpha: Double, changes: [Change]) {
        (self.alpha, self.changes) = (alpha, changes)
    }

    /// 0 would mean to llama.cpp that nothing scales.
    private static func mostFrequent(_ alphas: [Double]) -> Double? {
        let counts = Dictionary(grouping: alphas.filter { $0 != 0 }, by: Float.init)
        let most = counts.values.map(\.count).max()
        return alphas.first { counts[Float($0)]?.count == most && $0 != 0 }
    }

    /// The same with the factors' numbers as a type has them.
    public func rounded(to dtype: DType) throws -> LowRankFactors {
        func rounded(_ tensor: Tensor) throws -> Tensor { try tensor.to(dtype).to(.float32) }
        return LowRankFactors(
            alpha: alpha,
            changes: try changes.map {
                Change(
                    place: $0.place, path: $0.path, down: try rounded($0.down),
                    up: try rounded($0.up))
            })
    }

    private func scale(_ change: Change) -> Double { alpha / Double(change.rank) }

    /// The factors as a LoRA for the slots that they are from; it is not put into them.
    public func adapter(like set: AdapterSet) -> AdapterSet {
        let parts = changes.map { change -> PlacedPart in
            let (down, up, scale) = (change.down, change.up, scale(change))
            switch change.place {
            case .linear(let layer, _):
                return .linear(layer, LoRALayer(down: down, up: up, scale: scale, dropout: 0))
            case .embedding(let embedding, _):
                return .embedding(embedding, LoRAEmbedding(down: down, up: up, scale: scale))
            case .block, .prefix, .prompt: return change.place
            }
        }
        return AdapterSet(
            LoRA(rank: changes.map(\.rank).max() ?? 1, alpha: alpha), AdapterParts(parts),
            tokenParts: set.tokenParts, targets: set.targets,
            savedParameters: set.savedParameters, form: set.form, of: set.slots)
    }

    /// What they lack of the changes that an adapter makes.
    /// - Parameter set: of the same places.
    public func losses(of set: AdapterSet) throws -> [ChangeLoss] {
        try withoutGradient {
            try zip(changes, set.parts).map { change, part in
                let product = try scale(change) * change.up.matmul(change.down)
                let (update, kept) =
                    switch part {
                    case .linear(let layer, let own as any WeightChange):
                        (try own.weightUpdate(for: layer), product)
                    case .embedding(let embedding, let own as any EmbeddingChange):
                        (try own.weightUpdate(for: embedding), try product.transposed())
                    default: (product, product)
                    }
                let wide = try update.detached().wide()
                return ChangeLoss(
                    path: change.path, norm: try wide.norm().item(),
                    error: try (wide - kept).norm().item())
            }
        }
    }
}
