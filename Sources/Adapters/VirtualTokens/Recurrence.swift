import DualModules
import DualTorch

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
