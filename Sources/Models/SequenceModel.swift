import DualModules
import DualTorch

/// An encoder that gives each sequence a vector of logits.
public protocol SequenceModel: AnyObject {
    /// Every weight, by the reference's names.
    var parameters: [Parameter] { get }
    /// The layers that an adapter may change; the head is none of them.
    var linears: [Linear] { get }
    /// What adapters change when nothing is said: PEFT's choice for the architecture.
    var defaultTargets: [String] { get }
    var classifier: Linear? { get }
    var computeType: DType { get }
    /// The longest sequence that the model has positions for.
    var maximumLength: Int { get }
    var vocabularySize: Int { get }
    /// How many kinds of sentence the model tells apart.
    var typeVocabularySize: Int { get }

    func hiddenStates(_ batch: TokenBatch, mode: ForwardMode) throws -> Tensor
    func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor?
}

extension SequenceModel {
    /// (B, labels), in float32 at least.
    /// - Throws: ``ModelError/noHead(folder:)`` for a model without a head.
    public func logits(_ batch: TokenBatch, mode: ForwardMode = .inference) throws -> Tensor {
        guard let logits = try logits(ofHidden: hiddenStates(batch, mode: mode), mode: mode) else {
            throw ModelError.noHead(folder: "this model")
        }
        return logits
    }

    /// Checks that the model has an embedding for every token, type and position.
    public func check(ids: [Int], typeIDs: [Int]) throws {
        if let strange = ids.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw ModelError.unknownToken(id: strange, vocabulary: vocabularySize)
        }
        if let strange = typeIDs.first(where: { $0 < 0 || $0 >= typeVocabularySize }) {
            throw ModelError.unknownType(id: strange, types: typeVocabularySize)
        }
        guard ids.count <= maximumLength else {
            throw ModelError.tooLong(tokens: ids.count, limit: maximumLength)
        }
    }
}

/// Which head a model gets.
public enum HeadChoice: Equatable, Sendable {
    case none
    /// The checkpoint's, with so many outputs.
    case stored(labels: Int)
    /// A new one, drawn at random.
    case created(labels: Int)
}
