import DualModules
import DualTorch

/// A decoder of any architecture with, where the checkpoint has one, its head: a linear layer that scores
/// each next token.
public final class Decoder<Body: DecoderBody>: CausalModel {
    public let parameters: [Parameter]
    public let computeType: DType
    public let head: Linear?
    public let slots: AdapterSlots
    private let body: Body

    /// - Parameters:
    ///   - source: gives the weights; names are those of the reference's model with its head.
    ///   - hasHead: whether there is a head besides the embedding, which a head may share.
    ///   - computeType: what activations are computed in.
    /// - Throws: ``TorchError``; what the source lacks is told by ``WeightSource/check()``.
    public init(
        _ source: WeightSource, _ configuration: Body.Configuration, hasHead: Bool,
        computeType: DType
    ) throws {
        let names = configuration.names
        body = try Body(source.root / names.bodyPath, configuration)
        head =
            if configuration.sharesEmbedding {
                Linear(path: names.headPath, sharing: body.words.weight)
            } else if hasHead {
                try Linear(
                    source.root / names.headPath, from: configuration.hiddenSize,
                    to: configuration.vocabularySize, bias: false,
                    deviation: configuration.initializerRange, isHead: true)
            } else {
                nil
            }
        self.computeType = computeType
        parameters = source.parameters
        slots = AdapterSlots(body, head: head, parameters: parameters)
    }

    public var configuration: Body.Configuration { body.configuration }

    public var className: String { configuration.names.headClass }

    public var maximumLength: Int? { configuration.maximumLength(beside: slots.virtualTokens) }

    public var vocabularySize: Int { body.words.weight.stored.size(0) }

    public func hiddenStates(
        _ ids: Tensor, layout: BatchLayout, cache: KeyValueCache?, mode: ForwardMode
    ) throws -> Tensor {
        let pass = try DecoderPass(
            slots, ids: ids, layout: layout, cache: cache, windows: body.windows,
            rotary: body.rotary, dtype: computeType, mode: mode)
        try configuration.check(length: pass.length)
        let output = try pass.run(body.blocks, on: body.embedded(ids, pass))
        let hidden = try body.normalized(output)
        cache?.advance(by: pass.attendedCount)
        return try pass.withoutPrompt(hidden)
    }

    public func makeCache(leftPadding: [Int], capacity: Int) throws -> KeyValueCache {
        try KeyValueCache(
            layers: configuration.layers, heads: configuration.keyValueHeads,
            headSize: configuration.headSize, leftPadding: leftPadding,
            capacity: capacity + slots.virtualTokens, dtype: computeType,
            device: body.words.weight.stored.device)
    }
}
