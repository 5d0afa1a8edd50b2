import DualModules
import DualTorch

/// The body of an architecture: all of a model but its head.
///
/// An architecture's file defines it from top to bottom: attention, feed-forward, block, body. What the
/// body hands over here is enough for the loop over the blocks, the slots for adapters, the head and the
/// cache, which all architectures share.
public protocol TransformerBody: AnyObject {
    associatedtype Configuration: TransformerConfiguration
    /// One block's share of a pass: that of a decoder, or of an encoder.
    associatedtype Layer

    var configuration: Configuration { get }
    /// The embedding of words.
    var words: Embedding { get }
    /// Every embedding, that of words first.
    var embeddings: [Embedding] { get }
    /// The blocks, from the first to the last.
    var blocks: [any TransformerBlock<Layer>] { get }

    /// The last hidden state (B, T, E) from the last block's output: what a last norm makes of it, where
    /// there is one.
    func normalized(_ output: ResidualStream) throws -> Tensor
}

extension TransformerBody {
    public var embeddings: [Embedding] { [words] }
}

extension AdapterSlots {
    /// The slots of a model.
    /// - Parameters:
    ///   - lastLinears: layers behind the blocks that adapters may change.
    ///   - head: of a language model; that of a task is none that adapters change.
    ///   - parameters: every weight of the model.
    init<Body: TransformerBody>(
        _ body: Body, lastLinears: [Linear] = [], head: Linear?, parameters: [Parameter]
    ) {
        let (blocks, configuration) = (body.blocks, body.configuration)
        self.init(
            linears: blocks.flatMap(\.linears) + lastLinears, embeddings: body.embeddings,
            head: head, blocks: blocks.map(\.end),
            blockLayers: blocks.map(\.layers),
            prefix: PrefixSlot(
                layers: configuration.layers, heads: configuration.keyValueHeads,
                headSize: configuration.headSize),
            prompt: PromptSlot(
                words: body.words.weight, layers: configuration.layers,
                heads: configuration.heads),
            parameters: parameters, tiedHead: TiedHead(head, embedding: body.words.weight),
            defaultTargets: configuration.names.defaultTargets,
            bodyPrefix: configuration.names.bodyPrefix)
    }
}

extension TransformerConfiguration {
    /// The most tokens beside virtual ones; nil for any number.
    func maximumLength(beside virtualTokens: Int) -> Int? {
        positionLimit.map { max(0, $0 - virtualTokens) }
    }

    /// Refuses more tokens than there are positions for.
    /// - Parameter tokens: virtual ones counted.
    /// - Throws: ``ModelError/tooLong(tokens:limit:)``
    func check(length tokens: Int) throws {
        guard let positionLimit, tokens > positionLimit else { return }
        throw ModelError.tooLong(tokens: tokens, limit: positionLimit)
    }
}
