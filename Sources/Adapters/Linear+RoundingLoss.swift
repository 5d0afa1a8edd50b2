import DualModules
import DualTorch

extension Linear {
    /// What a merged weight lacks of W + ΔW: ‖round(W + ΔW) − (W + ΔW)‖, beside ‖ΔW‖.
    func roundingLoss(of merged: Tensor) throws -> ChangeLoss {
        try withoutGradient {
            guard let change = try weightChange?.weightUpdate(for: self).detached().wide() else {
                return ChangeLoss(path: path, norm: 0, error: 0)
            }
            var squares = 0.0
            // Wide copies of a whole weight are never there.
            for rows in (0..<outputSize).pieces(columns: inputSize) {
                let sum =
                    try weight.value.slice(rows).to(.float64) + change.slice(rows).to(.float64)
                let norm = try (merged.slice(rows).to(.float64) - sum).norm().item()
                squares += norm * norm
            }
            return ChangeLoss(
                path: path, norm: try change.norm().item(), error: squares.squareRoot())
        }
    }
}
