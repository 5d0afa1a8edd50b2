import DualModules
import DualTorch

/// A vector for each of V virtual tokens, and what trains to make them.
protocol VirtualTokenVectors: AnyObject {
    /// V
    var count: Int { get }

    /// What trains, by PEFT's names.
    var parameters: [(name: String, value: Tensor)] { get }

    /// (V, size)
    func callAsFunction(_ mode: ForwardMode) throws -> Tensor

    /// The matrices (outputs, inputs) of the encoder that makes the vectors; each meets all of them.
    var encoderMatrices: [Tensor] { get }

    /// What a file keeps.
    func saved() throws -> [(name: String, value: Tensor)]
}

extension VirtualTokenVectors {
    /// PEFT's name for the vectors in a file, whatever made them.
    static var savedName: String { "prompt_embeddings" }

    var encoderMatrices: [Tensor] { [] }

    /// The vectors: what made them is not saved.
    func saved() throws -> [(name: String, value: Tensor)] {
        [(Self.savedName, try withoutGradient { try self(.inference) })]
    }
}

/// Vectors that train themselves.
final class VectorTable: VirtualTokenVectors {
    /// (V, size)
    private let vectors: Tensor

    init(_ vectors: Tensor) { self.vectors = vectors }

    var count: Int { vectors.size(0) }

    var parameters: [(name: String, value: Tensor)] { [(Self.savedName, vectors)] }

    func callAsFunction(_ mode: ForwardMode) throws -> Tensor { vectors }

    func saved() throws -> [(name: String, value: Tensor)] { parameters }
}

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
