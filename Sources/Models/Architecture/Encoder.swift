import DualModules
import DualTorch

/// An encoder of any architecture with, where there is one, a head: a linear layer that scores a
/// sequence's classes or gives it a number.
public final class Encoder<Body: EncoderBody>: SequenceModel {
    public let parameters: [Parameter]
    public let computeType: DType
    public let head: Linear?
    public let slots: AdapterSlots
    private let body: Body

    /// - Parameters:
    ///   - source: gives the weights; names are those of the reference's model with its head.
    ///   - computeType: what activations are computed in.
    /// - Throws: ``TorchError``; what the source lacks is told by ``WeightSource/check()``.
    public init(
        _ source: WeightSource, _ configuration: Body.Configuration, head: HeadChoice,
        computeType: DType
    ) throws {
        let names = configuration.names
        body = try Body(source.root / names.bodyPath, configuration, hasHead: head != .none)
        let (scope, size) = (source.root / names.headPath, configuration.hiddenSize)
        self.head =
            switch head {
            case .none: nil
            case .stored(let labels): try Linear(scope, from: size, to: labels, isHead: true)
            case .created(let labels):
                try Linear(
                    scope.creating(.always), from: size, to: labels,
                    deviation: configuration.initializerRange)
            }
        self.computeType = computeType
        parameters = source.parameters
        slots = AdapterSlots(
            body, lastLinears: body.lastLinears, head: nil, parameters: parameters)
    }

    /// A model of random weights.
    /// - Parameter labels: outputs of the head.
    public static func random(
        _ configuration: Body.Configuration, labels: Int, computeType: DType, seed: UInt64
    ) throws -> Encoder {
        let source = WeightSource(nil, dtype: .float32, generator: try Generator(seed: seed))
        return try Encoder(
            source, configuration, head: .created(labels: labels), computeType: computeType)
    }

    public var configuration: Body.Configuration { body.configuration }

    public var className: String {
        head == nil ? configuration.names.bareClass : configuration.names.headClass
    }

    public var maximumLength: Int? { configuration.maximumLength(beside: slots.virtualTokens) }

    public var vocabularySize: Int { body.words.weight.stored.size(0) }

    public var typeVocabularySize: Int { configuration.typeVocabularySize }

    /// (B, T, E), the last hidden state; a prompt's tokens stand first in T.
    public func hiddenStates(_ batch: TokenBatch, mode: ForwardMode) throws -> Tensor {
        let pass = try EncoderPass(
            slots, ids: batch.ids, mask: batch.mask, layout: batch.layout, dtype: computeType,
            mode: mode)
        try configuration.check(length: pass.positions.upperBound)
        let output = try pass.run(body.blocks, on: body.embedded(batch, pass))
        return try body.normalized(output)
    }

    /// (B, labels) in float32 at least; nil for a model without a head.
    public func logits(ofHidden hidden: Tensor, mode: ForwardMode) throws -> Tensor? {
        guard let head, let features = try body.summary(of: hidden, mode: mode) else { return nil }
        // Few products, and the loss depends on each bit of them: float32 or wider.
        let wide = try computeType == .float64 ? features : features.to(.float32)
        return try head(mode.dropping(wide, probability: configuration.headDropout))
    }
}
