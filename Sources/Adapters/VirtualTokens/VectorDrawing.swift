import DualModules
import DualTorch

/// Draws the first numbers of virtual tokens, in the type and on the device of what trains beside a
/// model.
struct VectorDrawing {
    let generator: Generator
    private let dtype: DType
    private let device: Device

    init(for slots: AdapterSlots, using generator: Generator) {
        self.generator = generator
        let weight = slots.parameters.first?.stored
        dtype = weight?.parameterType ?? .float32
        device = weight?.device ?? .cpu
    }

    /// N(0, 1): how PyTorch starts an embedding.
    func normal(_ shape: [Int]) throws -> Tensor {
        try placed(.normal(shape, using: generator))
    }

    /// Within ± bound.
    func uniform(_ shape: [Int], _ bound: Double) throws -> Tensor {
        try placed(.uniform(shape, from: -bound, to: bound, using: generator))
    }

    func zeros(_ shape: [Int]) throws -> Tensor {
        try .zeros(shape, dtype: dtype, device: device)
    }

    /// Rows of a table of words, in memory of their own.
    func rows(_ ids: [Int], of words: StoredWeight) throws -> Tensor {
        try withoutGradient {
            try placed(words.gathered(rows: Tensor(ids).to(device: words.device)))
        }
    }

    /// Whole numbers below `bound`.
    func integers(_ count: Int, below bound: Int) throws -> [Int] {
        let draws: [Double] = try Tensor.uniform([count], dtype: .float64, using: generator).array()
        return draws.map { min(bound - 1, Int($0 * Double(bound))) }
    }

    private func placed(_ x: Tensor) throws -> Tensor { try x.to(dtype).to(device: device) }
}
