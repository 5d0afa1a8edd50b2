import DualModules
import DualTorch

/// Vectors as embeddings before those of the words.
package final class VectorPrompt: InputPrompt {
    private let vectors: any VirtualTokenVectors
    /// Of the model: its hidden size, layers and heads.
    let hiddenSize, layers, heads: Int

    /// - Parameter vectors: of E numbers each.
    init(_ vectors: any VirtualTokenVectors, for slot: PromptSlot) {
        self.vectors = vectors
        (hiddenSize, layers, heads) = (slot.hiddenSize, slot.layers, slot.heads)
    }

    package var count: Int { vectors.count }

    package var encoderMatrices: [Tensor] { vectors.encoderMatrices }

    package var parameters: [(name: String, value: Tensor)] { vectors.parameters }

    package func savedTensors() throws -> [(name: String, value: Tensor)] { try vectors.saved() }

    package func embeddings(_ mode: ForwardMode, dtype: DType) throws -> Tensor {
        try vectors(mode).to(dtype)
    }
}
