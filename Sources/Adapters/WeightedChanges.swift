import DualModules
import DualTorch

/// Several changes of one layer's weight, each multiplied by a number.
///
///     y = x W₀ᵀ + Σ wᵢ (fᵢ(x) - x W₀ᵀ),  fᵢ the layer with the i-th adapter alone
final class WeightedChanges: WeightChange {
    private let changes: [(change: any WeightChange, weight: Double)]

    init(_ changes: [(change: any WeightChange, weight: Double)]) { self.changes = changes }

    var parameters: [(name: String, value: Tensor)] {
        changes.enumerated().flatMap { index, weighted in
            weighted.change.parameters.map { ("\(index).\($0.name)", $0.value) }
        }
    }

    func weightUpdate(for base: Linear) throws -> Tensor {
        let nothing = try Tensor.trainable(base.weight.stored.shape, for: base)
        return try changes.reduce(nothing) {
            try $0 + $1.weight * $1.change.weightUpdate(for: base)
        }
    }

    func biasUpdate(for base: Linear) throws -> Tensor? {
        try changes.reduce(nil) { sum, weighted in
            guard let update = try weighted.change.biasUpdate(for: base) else { return sum }
            let scaled = try weighted.weight * update
            return try sum.map { try $0 + scaled } ?? scaled
        }
    }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        let plain = try base.frozen(x)
        return try changes.reduce(plain) { sum, weighted in
            try sum + weighted.weight * (weighted.change(x, through: base, mode: mode) - plain)
        }
    }
}

/// The same of an embedding's table.
final class WeightedEmbeddingChanges: EmbeddingChange {
    private let changes: [(change: any EmbeddingChange, weight: Double)]

    init(_ changes: [(change: any EmbeddingChange, weight: Double)]) { self.changes = changes }

    var parameters: [(name: String, value: Tensor)] {
        changes.enumerated().flatMap { index, weighted in
            weighted.change.parameters.map { ("\(index).\($0.name)", $0.value) }
        }
    }

    func weightUpdate(for base: Embedding) throws -> Tensor {
        let weight = base.weight.stored
        let nothing = try Tensor.zeros(
            weight.shape, dtype: weight.parameterType, device: weight.device)
        return try changes.reduce(nothing) {
            try $0 + $1.weight * $1.change.weightUpdate(for: base)
        }
    }

    func callAsFunction(_ indices: Tensor, through base: Embedding) throws -> Tensor {
        let plain = try base.frozen(indices)
        return try changes.reduce(plain) { sum, weighted in
            try sum + weighted.weight * (weighted.change(indices, through: base) - plain)
        }
    }
}
