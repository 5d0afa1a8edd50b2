import DualModules
import DualTorch

extension Decoder: LoadableModel {
    static func load(
        _ configuration: Body.Configuration, _ file: ConfigurationFile,
        _ checkpoint: (any StoredTensors)?,
        _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let names = configuration.names
        guard options.labels == nil else {
            throw ModelError.otherKind(
                model: names.headClass, wanted: "an encoder, which scores sentences")
        }
        if let checkpoint {
            try file.check(layers: configuration.layers, of: names, in: checkpoint.names)
        }
        let source = try options.source(of: checkpoint, spellings: names.spellings)
        let headWeight = names.headPath + ".weight"
        // A checkpoint with the whole model's names has a head, or lacks one that it should have.
        let isWhole = checkpoint?.names.contains { $0.hasPrefix(names.bodyPrefix) } ?? true
        // As the reference does: a tie in the configuration does not undo what the tensors say.
        let isApart =
            try configuration.sharesEmbedding
            && source.differ(headWeight, names.wordsPath + ".weight")
        var configuration = configuration
        if isApart { configuration.sharesEmbedding = false }
        let model = try Decoder(
            source, configuration, hasHead: isWhole || source.contains(headWeight),
            computeType: options.resolvedComputeType)
        try source.check()
        var unused = UnusedTensors(source.unused, names)
        // The same numbers as the embedding's: none of them is lost.
        if configuration.sharesEmbedding { unused.strange.removeAll { $0 == headWeight } }
        return LoadedModel(
            model, unused,
            remarks: source.remarks + (isApart ? [Self.untied(headWeight, names, file)] : []))
    }

    private static func untied(
        _ headWeight: String, _ names: ArchitectureNames, _ file: ConfigurationFile
    ) -> String {
        "\(file.url.path) ties the head to the embedding (tie_word_embeddings), but the checkpoint "
            + "has both \(headWeight) and \(names.wordsPath).weight, and they differ: each is used "
            + "as it is"
    }
}
