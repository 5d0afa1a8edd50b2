import DualModules
import DualTorch

/// Vectors as the keys and values of all layers.
package final class VectorPrefix: KeyValuePrefix {
    private let vectors: any VirtualTokenVectors
    package let layers, heads, headSize: Int
    private let dropout: Double

    /// - Parameters:
    ///   - vectors: of 2 L G D numbers each.
    ///   - dropout: probability of dropping elements of the keys and values.
    init(_ vectors: any VirtualTokenVectors, for slot: PrefixSlot, dropout: Double = 0) {
        self.vectors = vectors
        self.dropout = dropout
        (layers, heads, headSize) = (slot.layers, slot.heads, slot.headSize)
    }

    package var count: Int { vectors.count }

    package var encoderMatrices: [Tensor] { vectors.encoderMatrices }

    package var parameters: [(name: String, value: Tensor)] { vectors.parameters }

    package func savedTensors() throws -> [(name: String, value: Tensor)] { try vectors.saved() }

    package func keysAndValues(_ mode: ForwardMode, dtype: DType) throws -> Tensor {
        try mode.dropping(vectors(mode), probability: dropout).to(dtype)
            .reshaped(count, 2 * layers, heads, headSize)
    }
}
