import DualTorch

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
