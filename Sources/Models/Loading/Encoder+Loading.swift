import DualModules
import DualTorch

extension Encoder: LoadableModel {
    static func load(
        _ configuration: Body.Configuration, _ file: ConfigurationFile,
        _ checkpoint: (any StoredTensors)?,
        _ options: ModelFolder.LoadOptions
    ) throws -> LoadedModel {
        let names = configuration.names
        if let checkpoint {
            try file.check(layers: configuration.layers, of: names, in: checkpoint.names)
        }
        let source = try options.source(of: checkpoint, spellings: names.spellings)
        let model = try Encoder(
            source, configuration,
            head: chooseHead(source, configuration, file, labels: options.labels),
            computeType: options.resolvedComputeType)
        try source.check()
        let created = model.parameters.filter(\.isCreated).map(\.name)
        var unused = UnusedTensors(source.unused, names)
        // A head that is replaced is told of as the new one.
        unused.strange.removeAll(where: created.contains)
        return LoadedModel(model, created: created, unused, remarks: source.remarks)
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
        guard let names = fields["id2label"] else { return try size("num_labels", default: 2) }
        guard let names = names as? [String: Any] else {
            throw bad("id2label", found: "\(names)", expected: "an object of names by number")
        }
        return names.count
    }
}
