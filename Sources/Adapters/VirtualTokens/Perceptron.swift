import DualTorch

/// Layers with an activation between them, as PyTorch's `Sequential` starts and names them.
struct Perceptron {
    let name: String
    let layers: [(weight: Tensor, bias: Tensor)]
    private let activation: (Tensor) throws -> Tensor

    /// - Parameters:
    ///   - sizes: of the input, of what stands between, of the output.
    ///   - isLastZero: whether the output starts at zero.
    init(
        _ name: String, sizes: [Int], isLastZero: Bool = false, drawing draw: VectorDrawing,
        activation: @escaping (Tensor) throws -> Tensor
    ) throws {
        self.name = name
        self.activation = activation
        let last = sizes.count - 2
        layers = try (0...last).map { index in
            let (from, to) = (sizes[index], sizes[index + 1])
            guard index < last || !isLastZero else {
                return (try draw.zeros([to, from]), try draw.zeros([to]))
            }
            let bound = 1 / Double(from).squareRoot()
            return (try draw.uniform([to, from], bound), try draw.uniform([to], bound))
        }
    }

    var parameters: [(name: String, value: Tensor)] {
        layers.enumerated().flatMap { index, layer in
            // The activations between count, too.
            [
                ("\(name).\(2 * index).weight", layer.weight),
                ("\(name).\(2 * index).bias", layer.bias),
            ]
        }
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try layers.enumerated().reduce(x) { x, next in
            let (index, layer) = next
            return try (index == 0 ? x : activation(x)).linear(layer.weight, bias: layer.bias)
        }
    }
}
