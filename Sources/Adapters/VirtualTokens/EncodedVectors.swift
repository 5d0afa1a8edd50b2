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
