import DualModules
import DualTorch

// How tensors that train beside a layer start: in float32 (float64 beside float64), where the layer is.

extension Tensor {
    /// These numbers as a tensor that trains beside a layer.
    func trained(beside base: Linear) throws -> Tensor {
        try to(base.weight.value.parameterType).to(device: base.weight.value.device)
    }

    /// One value throughout.
    static func trainable(_ shape: [Int], _ value: Double = 0, for base: Linear) throws -> Tensor {
        try full(
            shape, value, dtype: base.weight.value.parameterType,
            device: base.weight.value.device)
    }

    /// LoRA's A (r, k): uniform within ±1 / √k, PyTorch's `kaiming_uniform_(a=√5)`.
    static func loraDown(
        _ rank: Int, for base: Linear, using generator: Generator
    ) throws -> Tensor {
        let bound = 1 / Double(base.inputSize).squareRoot()
        return try uniform([rank, base.inputSize], from: -bound, to: bound, using: generator)
            .trained(beside: base)
    }
}
