import DualModules
import DualTorch

extension Encoder: LoadableModel {
    static func load(
        _ configuration: Body.Configuration, _ file: ConfigurationFile, _ checkpoint: Checkpoint?,
        _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let names = configuration.names
        let source = try options.source(of: checkpoint, spellings: names.spellings)
        let model = try Encoder(
            source, configuration,
            head: chooseHead(source, configuration, file, labels: options.labels),
            computeType: options.computeType)
        try source.check()
        // A head that is replaced is told of as the new one.
        return LoadedModel(
            model: model, created: model.parameters.filter(\.isCreated).map(\.name),
            unused: source.unused.filter {
                !names.isUnneeded($0) && !$0.hasPrefix(names.headPath + ".")
            })
    }

    /// The checkpoint's head, if it has the outputs that are asked for; else a new one.
    private static func chooseHead(
        _ source: WeightSource, _ configuration: Body.Configuration, _ file: ConfigurationFile,
        labels: Int?
    ) throws -> HeadChoice {
        let weight = configuration.names.headPath + ".weight"
        guard let labels else {
            return source.contains(weight) ? .stored(labels: try file.labelCount()) : .none
        }
        let fits = source.contains(weight, shape: [labels, configuration.hiddenSize])
        return fits ? .stored(labels: labels) : .created(labels: labels)
    }
}

extension ConfigurationFile {
    /// The number of labels that the configuration speaks of; 2 when it does not, as transformers.
    fileprivate func labelCount() throws -> Int {
        guard let names = fields["id2label"] else { return try integer("num_labels") ?? 2 }
        guard let names = names as? [String: Any] else {
            throw bad("id2label", found: "\(names)", expected: "an object of names by number")
        }
        return names.count
    }
}
