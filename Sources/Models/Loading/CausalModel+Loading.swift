import DualModules
import DualTorch
import Foundation

extension Llama {
    static func load(
        _ folder: ModelFolder, _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let configuration = try LlamaConfiguration(folder.configuration)
        return try loadDecoder(
            folder, options, bodyPrefix: "model.", sharesEmbedding: configuration.sharesEmbedding,
            buffers: ["rotary_emb.inv_freq"]
        ) { source, hasHead in
            try Llama(
                source, configuration, hasHead: hasHead, computeType: options.computeType)
        }
    }
}

extension GPT2 {
    static func load(
        _ folder: ModelFolder, _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let configuration = try GPT2Configuration(folder.configuration)
        return try loadDecoder(
            folder, options, bodyPrefix: "transformer.",
            sharesEmbedding: configuration.sharesEmbedding,
            buffers: ["attn.bias", "attn.masked_bias"]
        ) { source, hasHead in
            try GPT2(source, configuration, hasHead: hasHead, computeType: options.computeType)
        }
    }
}

/// Builds a decoder from its folder's checkpoint and checks that the two fit.
///
/// - Parameters:
///   - bodyPrefix: what names begin with, but in checkpoints of the model without its head.
///   - buffers: ends of names that old checkpoints have and no model needs.
///   - make: builds the model; whether it has a head of its own depends on the checkpoint.
private func loadDecoder<Model: CausalModel>(
    _ folder: ModelFolder, _ options: ModelFolder.LoadOptions, bodyPrefix: String,
    sharesEmbedding: Bool, buffers: [String], make: (WeightSource, _ hasHead: Bool) throws -> Model
) throws -> LoadedModel {
    guard options.labels == nil else {
        throw ModelError.otherKind(
            model: "\(Model.self)", wanted: "an encoder, which scores sentences")
    }
    let checkpoint = try Checkpoint(folder: folder.url)
    let source = try options.source(of: checkpoint) { name in
        name.hasPrefix(bodyPrefix) ? [name, String(name.dropFirst(bodyPrefix.count))] : [name]
    }
    // A checkpoint with the whole model's names has a head, or lacks one that it should have.
    let isWhole = checkpoint.names.contains { $0.hasPrefix(bodyPrefix) }
    let hasHead = isWhole || source.contains("lm_head.weight")
    let model = try make(source, hasHead)
    try source.check()
    let ignorable = buffers + (sharesEmbedding ? ["lm_head.weight"] : [])
    return LoadedModel(
        model: model, created: [],
        unused: source.unused.filter { name in !ignorable.contains { name.hasSuffix($0) } })
}
