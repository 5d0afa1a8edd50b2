import DualTorch

/// What the dev losses of a run have come to, as far as they decide how it ends.
package struct DevLosses: Codable, Equatable {
    /// The lowest, and the steps that were done then.
    package private(set) var best: Double?
    package private(set) var bestStep: Int?
    /// Scores since then that were not lower.
    package private(set) var scoresSinceBest = 0

    /// - Returns: whether the loss is the lowest so far; one that is not finite never is.
    mutating func add(_ loss: Double?, step: Int) -> Bool {
        guard let loss, loss.isFinite, loss < best ?? .infinity else {
            scoresSinceBest += 1
            return false
        }
        (best, bestStep, scoresSinceBest) = (loss, step, 0)
        return true
    }
}

extension Trainee {
    /// Everything that decides what the model says, of what a run changes: the tensors themselves.
    package var trainedState: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for trainable in trainables { state[trainable.name] = trainable.tensor }
        for (name, value) in adapter?.state ?? [] { state[name] = value }
        return state
    }

    /// A copy of ``trainedState`` in the machine's memory.
    func copiedState() throws -> [String: Tensor] {
        try trainedState.mapValues { tensor in
            try withoutGradient { try tensor.detached().to(device: .cpu).cloned() }
        }
    }

    /// Puts a copy back.
    func restore(_ copy: [String: Tensor]) throws {
        try withoutGradient {
            for (name, tensor) in trainedState {
                if let kept = copy[name] { try tensor.copy(from: kept) }
            }
        }
    }
}
