import DualModules
import DualTorch
import Foundation

extension Llama {
    static func load(
        _ file: ConfigurationFile, _ checkpoint: Checkpoint?, _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let configuration = try LlamaConfiguration(file)
        return try loadDecoder(
            checkpoint, options, bodyPrefix: "model.",
            sharesEmbedding: configuration.sharesEmbedding,
            buffers: ["rotary_emb.inv_freq"]
        ) { source, hasHead in
            try Llama(
                source, configuration, hasHead: hasHead, computeType: options.computeType)
        }
    }
}

extension GPT2 {
    static func load(
        _ file: ConfigurationFile, _ checkpoint: Checkpoint?, _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let configuration = try GPT2Configuration(file)
        return try loadDecoder(
            checkpoint, options, bodyPrefix: "transformer.",
            sharesEmbedding: configuration.sharesEmbedding,
            buffers: ["attn.bias", "attn.masked_bias"]
        ) { source, hasHead in
            try GPT2(source, configuration, hasHead: hasHead, computeType: options.computeType)
        }
    }
}

/// Builds a decoder from its checkpoint, or anew without one, and checks that the two fit.
///
/// - Parameters:
///   - bodyPrefix: what names begin with, but in checkpoints of the model without its head.
///   - buffers: ends of names that old checkpoints have and no model needs.
///   - make: builds the model; whether it has a head of its own depends on the checkpoint.
private func loadDecoder<Model: CausalModel>(
    _ checkpoint: Checkpoint?, _ options: ModelFolder.LoadOptions, bodyPrefix: String,
    sharesEmbedding: Bool, buffers: [String], make: (WeightSource, _ hasHead: Bool) throws -> Model
) throws -> LoadedModel {
    guard options.labels == nil else {
        throw ModelError.otherKind(
            model: "\(Model.self)", wanted: "an encoder, which scores sentences")
    }
    let source = try options.source(of: checkpoint) { name in
        name.hasPrefix(bodyPrefix) ? [name, String(name.dropFirst(bodyPrefix.count))] : [name]
    }
    // A checkpoint with the whole model's names has a head, or lacks one that it should have.
    let isWhole = checkpoint?.names.contains { $0.hasPrefix(bodyPrefix) } ?? true
    let hasHead = isWhole || source.contains("lm_head.weight")
    let model = try make(source, hasHead)
    try source.check()
    let ignorable = buffers + (sharesEmbedding ? ["lm_head.weight"] : [])
    return LoadedModel(
        model: model, created: [],
        unused: source.unused.filter { name in !ignorable.contains { name.hasSuffix($0) } })
}
