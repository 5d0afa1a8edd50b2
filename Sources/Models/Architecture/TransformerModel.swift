import DualModules
import DualTorch

/// A model of any architecture, as it is loaded, adapted, run and saved.
public protocol TransformerModel: AnyObject {
    /// Every weight, by the reference's names.
    var parameters: [Parameter] { get }
    /// The slots for adapters.
    var slots: AdapterSlots { get }
    /// The reference's class, for `architectures` in `config.json`.
    var className: String { get }
    /// The last layer, whose outputs a task reads, if the model has one.
    var head: Linear? { get }
    /// What activations are computed in.
    var computeType: DType { get }
    /// The length of the longest sequence that the model has positions for beside virtual tokens; nil
    /// for any length.
    var maximumLength: Int? { get }
    var vocabularySize: Int { get }

    /// (B, T, E): the last hidden state; an encoder's begins with that of a prompt's tokens.
    func hiddenStates(_ batch: TokenBatch, mode: ForwardMode) throws -> Tensor
    /// The head's outputs for hidden states (B, T, E); nil for a model without a head.
    func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor?
}

extension TransformerModel {
    /// The layers that an adapter may change; the head is none of them.
    public var linears: [Linear] { slots.linears }

    /// The layers that adapters change when nothing is said: PEFT's choice for the architecture.
    public var defaultTargets: [String] { slots.defaultTargets }

    /// The head's outputs for a batch: a decoder's (B, T, vocabulary), an encoder's (B, labels).
    /// - Throws: ``ModelError/noHead(folder:)`` for a model without a head.
    public func logits(_ batch: TokenBatch, mode: ForwardMode = .inference) throws -> Tensor {
        guard let logits = try logits(ofHidden: hiddenStates(batch, mode: mode), mode: mode) else {
            throw ModelError.noHead(folder: "this model")
        }
        return logits
    }

    /// Checks that the model has an embedding for every token and position.
    /// - Throws: ``ModelError/unknownToken(id:vocabulary:)``, ``ModelError/tooLong(tokens:limit:)``
    public func check(ids: [Int]) throws {
        if let unknown = ids.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw ModelError.unknownToken(id: unknown, vocabulary: vocabularySize)
        }
        if let limit = maximumLength, ids.count > limit {
            throw ModelError.tooLong(tokens: ids.count, limit: limit)
        }
    }
}

extension TransformerModel {
    /// Whether some of its weights are stored in quantised blocks.
    package var hasBlocks: Bool { parameters.contains { $0.stored.isBlocks } }
}
