import DualModules
import DualTorch

/// A vector for each of V virtual tokens, and what trains to make them.
protocol VirtualTokenVectors {
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
