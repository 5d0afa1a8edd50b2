import DualModules
import DualTorch

/// Vectors that an encoder makes of others, which are easier to train: E (V, k) through an LSTM, if there
/// is one, and a perceptron.
struct EncodedVectors: VirtualTokenVectors {
    let embedding: Tensor
    var recurrence: Recurrence?
    let perceptron: Perceptron

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
