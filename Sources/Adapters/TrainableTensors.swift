import DualModules
import DualTorch

// How tensors that train beside a layer start: in float32 (float64 beside float64), where the layer is.

extension Tensor {
    /// These numbers as a tensor that trains beside a layer.
    func trained(beside base: Linear) throws -> Tensor { try trained(beside: base.weight.stored) }

    /// The same beside a weight.
    func trained(beside weight: StoredWeight) throws -> Tensor {
        try to(weight.parameterType).to(device: weight.device)
    }

    /// One value throughout.
    static func trainable(_ shape: [Int], _ value: Double = 0, for base: Linear) throws -> Tensor {
        try full(
            shape, value, dtype: base.weight.stored.parameterType,
            device: base.weight.stored.device)
    }

    /// Within ±1/√inputs: how PyTorch's `Linear` of so many inputs starts.
    static func uniform(
        _ shape: [Int], inputs: Int, using generator: Generator
    ) throws -> Tensor {
        let bound = 1 / Double(inputs).squareRoot()
        return try uniform(shape, from: -bound, to: bound, using: generator)
    }

    /// LoRA's A (r, k).
    static func loraDown(
        _ rank: Int, for base: Linear, start: FactorStart = .uniform, using generator: Generator
    ) throws -> Tensor {
        let shape = [rank, base.inputSize]
        let drawn =
            switch start {
            case .uniform: try uniform(shape, inputs: base.inputSize, using: generator)
            case .gaussian: try normal(shape, deviation: 1 / Double(rank), using: generator)
            }
        return try drawn.trained(beside: base)
    }
}

extension Tensor {
    /// In float32, or in float64 if it is that: the type of what trains.
    func wide() throws -> Tensor { try to(parameterType) }

    /// What trains beside this weight is in float32, or in float64 beside float64.
    var parameterType: DType { dtype == .float64 ? .float64 : .float32 }
}

extension StoredWeight {
    /// As ``Tensor/parameterType``.
    var parameterType: DType { numberType == .float64 ? .float64 : .float32 }
}
