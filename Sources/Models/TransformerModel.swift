import DualModules
import DualTorch

/// What every architecture is to whoever loads, adapts and saves it.
public protocol TransformerModel: AnyObject {
    /// Every weight, by the reference's names.
    var parameters: [Parameter] { get }
    /// The places that adapters change.
    var slots: AdapterSlots { get }
    /// The layer of the outputs that a task reads, if the model has one.
    var head: Linear? { get }
    var computeType: DType { get }
    /// The longest sequence that the model has positions for beside virtual tokens; nil for any.
    var maximumLength: Int? { get }
    var vocabularySize: Int { get }

    /// (B, T, E): the last hidden state; an encoder's begins with that of a prompt's tokens.
    func hiddenStates(_ batch: TokenBatch, mode: ForwardMode) throws -> Tensor
    /// What the head says of hidden states (B, T, E); nil for a model without one.
    func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor?
}

extension TransformerModel {
    /// The layers that an adapter may change; the head is none of them.
    public var linears: [Linear] { slots.linears }

    /// What adapters change when nothing is said: PEFT's choice for the architecture.
    public var defaultTargets: [String] { slots.defaultTargets }

    /// What the reference puts before the names of all weights but the head's, when there is one.
    public var bodyPrefix: String { slots.bodyPrefix }

    /// - Throws: ``ModelError/noHead(folder:)`` for a model without a head.
    public func logits(_ batch: TokenBatch, mode: ForwardMode = .inference) throws -> Tensor {
        guard let logits = try logits(ofHidden: hiddenStates(batch, mode: mode), mode: mode) else {
            throw ModelError.noHead(folder: "this model")
        }
        return logits
    }

    /// Checks that the model has an embedding for every token and position.
    public func check(ids: [Int]) throws {
        if let strange = ids.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw ModelError.unknownToken(id: strange, vocabulary: vocabularySize)
        }
        if let limit = maximumLength, ids.count > limit {
            throw ModelError.tooLong(tokens: ids.count, limit: limit)
        }
    }
}
