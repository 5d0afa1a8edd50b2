import DualModules
import DualTorch

/// One edit: R, W and b.
package struct ReFTEdit {
    /// A (E, r), whose Q is Rᵀ; of variants with a free matrix, its transpose.
    let basis: Tensor
    /// W (r, E), of variants that have it.
    let weight: Tensor?
    /// b (r)
    let bias: Tensor
    package let variant: ReFTVariant
    private let activation: BottleneckActivation

    /// W, b and a free matrix as PyTorch's `Linear` starts, R uniform, a b without W from 0 to 1.
    init(_ method: LoReFT, beside norm: StoredWeight, using generator: Generator) throws {
        (variant, activation) = (method.variant, method.activation)
        let (size, rank) = (norm.size(0), method.rank)
        func uniform(_ shape: [Int]) throws -> Tensor {
            try .uniform(shape, inputs: size, using: generator)
        }
        let start =
            variant.isOrthonormal
            ? try Tensor.normal([size, rank], using: generator).to(norm.parameterType)
                .orthonormalColumns()
            : try uniform([size, rank])
        basis = try start.contiguous().trained(beside: norm)
        weight = variant.readsState ? try uniform([rank, size]).trained(beside: norm) : nil
        let shift =
            variant.readsState
            ? try uniform([rank]) : try .uniform([rank], from: 0, to: 1, using: generator)
        bias = try shift.trained(beside: norm)
    }

    /// E
    package var hiddenSize: Int { basis.size(0) }
    /// r
    package var rank: Int { basis.size(1) }

    /// The names are pyreft's.
    var parameters: [(name: String, value: Tensor)] {
        [(variant.isOrthonormal ? "rotate_layer" : "proj_layer", basis)]
            + (weight.map { [("weight", $0)] } ?? []) + [("bias", bias)]
    }

    /// Rᵀ (E, r), or what stands for it.
    func directions() throws -> Tensor {
        variant.isOrthonormal ? try basis.orthonormalColumns() : basis
    }

    /// What a file keeps: Rᵀ in the place of A, which says the same. An A that is an Rᵀ, as that of a fresh
    /// edit is, stays itself.
    func savedTensors() throws -> [(name: String, value: Tensor)] {
        guard variant.isOrthonormal else { return parameters }
        let rounding = basis.dtype == .float64 ? 1e-12 : 1e-5
        guard try basis.distanceFromOrthonormalColumns() > rounding else { return parameters }
        let directions = try directions()
        return parameters.map { ($0.name, $0.value === basis ? directions : $0.value) }
    }

    /// States (N, E), edited.
    func callAsFunction(_ states: Tensor) throws -> Tensor {
        let directions = try directions()
        // b alone, or (N, r)
        var change =
            try weight.map { try activation(states.linear($0, bias: bias)) }
            ?? bias.expandedDimension(at: 0)
        if variant.replacesState { change = try change - states.matmul(directions) }
        return try states + change.matmul(directions.transposed())
    }
}
