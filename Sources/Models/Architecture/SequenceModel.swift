import DualModules
import DualTorch

/// An encoder that gives each sequence a vector of logits (B, labels), in float32 at least.
public protocol SequenceModel: TransformerModel {
    /// How many kinds of sentence the model tells apart.
    var typeVocabularySize: Int { get }
}

extension SequenceModel {
    /// Checks that the model has an embedding for every type.
    /// - Throws: ``ModelError/unknownType(id:types:)``
    public func check(typeIDs: [Int]) throws {
        if let strange = typeIDs.first(where: { $0 < 0 || $0 >= typeVocabularySize }) {
            throw ModelError.unknownType(id: strange, types: typeVocabularySize)
        }
    }
}
