import DualModules
import DualTorch

extension ChangeLoss {
    /// What a merged weight lacks of W + ΔW: ‖round(W + ΔW) − (W + ΔW)‖, beside ‖ΔW‖.
    fileprivate init(path: String, weight: StoredWeight, change: Tensor?, merged: Tensor) throws {
        guard let change = try change?.detached().wide() else {
            self.init(path: path, norm: 0, error: 0)
            return
        }
        var squares = 0.0
        // Wide copies of a whole weight are never there.
        for rows in (0..<weight.shape[0]).pieces(columns: weight.shape[1]) {
            let sum = try weight.slice(rows).dense(as: .float64) + change.slice(rows).to(.float64)
            let norm = try (merged.slice(rows).to(.float64) - sum).norm().item()
            squares += norm * norm
        }
        self.init(path: path, norm: try change.norm().item(), error: squares.squareRoot())
    }
}

extension Linear {
    /// What rounding loses of the change that the layer's adapter makes.
    func roundingLoss(of merged: Tensor) throws -> ChangeLoss {
        try withoutGradient {
            try ChangeLoss(
                path: path, weight: weight.stored,
                change: try weightChange?.weightUpdate(for: self), merged: merged)
        }
    }
}

extension Embedding {
    /// What rounding loses of the change that the embedding's adapter makes.
    func roundingLoss(of merged: Tensor) throws -> ChangeLoss {
        try withoutGradient {
            try ChangeLoss(
                path: path, weight: weight.stored,
                change: try (adapter as? any EmbeddingChange)?.weightUpdate(for: self),
                merged: merged)
        }
    }
}
