import DualModules
import DualTorch

/// Vectors that an encoder makes of others, which are easier to train: E (V, k) through an LSTM, if there
/// is one, and a perceptron.
final class EncodedVectors: VirtualTokenVectors {
    private let embedding: Tensor
    private let recurrence: Recurrence?
    private let perceptron: Perceptron

    init(embedding: Tensor, recurrence: Recurrence? = nil, perceptron: Perceptron) {
        self.embedding = embedding
        self.recurrence = recurrence
        self.perceptron = perceptron
    }

    var count: Int { embedding.size(0) }

    var parameters: [(name: String, value: Tensor)] {
        [("embedding.weight", embedding)] + (recurrence?.parameters ?? []) + perceptron.parameters
    }

    var encoderMatrices: [Tensor] {
        (recurrence?.weights ?? []) + perceptron.layers.map(\.weight)
    }

    func callAsFunction(_ mode: ForwardMode) throws -> Tensor {
        try perceptron(recurrence?(embedding, mode) ?? embedding)
    }
}

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

/// LSTMs of both directions, one behind the other, as PyTorch's `LSTM` starts and names them.
struct Recurrence {
    /// Of each layer, forwards and then backwards: the weights (4 h, in) and (4 h, h), two biases (4 h).
    private let layers: [[Tensor]]
    /// Probability of dropping what one layer hands to the next.
    private let dropout: Double

    init(
        inputSize: Int, hiddenSize: Int, layers count: Int, dropout: Double,
        drawing draw: VectorDrawing
    ) throws {
        self.dropout = dropout
        let bound = 1 / Double(hiddenSize).squareRoot()
        layers = try (0..<count).map { index in
            let from = index == 0 ? inputSize : 2 * hiddenSize
            let shapes = [
                [4 * hiddenSize, from], [4 * hiddenSize, hiddenSize], [4 * hiddenSize],
                [4 * hiddenSize],
            ]
            return try (shapes + shapes).map { try draw.uniform($0, bound) }
        }
    }

    var parameters: [(name: String, value: Tensor)] {
        let kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        return layers.enumerated().flatMap { index, tensors in
            let forwards = kinds.map { "lstm_head.\($0)_l\(index)" }
            return zip(forwards + forwards.map { $0 + "_reverse" }, tensors).map { ($0, $1) }
        }
    }

    /// Each meets every one of the V vectors, or what was made of it.
    var weights: [Tensor] { layers.flatMap { $0.filter { $0.rank == 2 } } }

    /// (V, k) to (V, 2 h).
    func callAsFunction(_ x: Tensor, _ mode: ForwardMode) throws -> Tensor {
        try layers.enumerated().reduce(x) { x, next in
            let (index, tensors) = next
            let given = index == 0 ? x : try mode.dropping(x, probability: dropout)
            return try given.bidirectionalLSTM(tensors)
        }
    }
}
