import DualModules
import DualTorch

extension Decoder: LoadableModel {
    static func load(
        _ configuration: Body.Configuration, _ file: ConfigurationFile, _ checkpoint: Checkpoint?,
        _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let names = configuration.names
        guard options.labels == nil else {
            throw ModelError.otherKind(
                model: names.headClass, wanted: "an encoder, which scores sentences")
        }
        let source = try options.source(of: checkpoint, spellings: names.spellings)
        let headWeight = names.headPath + ".weight"
        // A checkpoint with the whole model's names has a head, or lacks one that it should have.
        let isWhole = checkpoint?.names.contains { $0.hasPrefix(names.bodyPrefix) } ?? true
        let model = try Decoder(
            source, configuration, hasHead: isWhole || source.contains(headWeight),
            computeType: options.computeType)
        try source.check()
        return LoadedModel(
            model: model, created: [],
            unused: source.unused.filter {
                !names.isUnneeded($0)
                    && !(configuration.sharesEmbedding && $0.hasSuffix(headWeight))
            })
    }
}
