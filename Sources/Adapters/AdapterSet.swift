import DualModules
import DualTorch

/// One adapter of a whole model: the method, its parts, and the weights that train beside them.
public final class AdapterSet {
    /// The method with its hyper-parameters.
    public let method: any AdapterMethod
    /// The linear layers that the user, or a file, names.
    public let targets: TargetSelection
    /// The parts and what they share.
    let contents: AdapterParts
    /// Weights of the model that train whole and are saved with the adapter: the head, modules that
    /// the user names, biases.
    public let savedParameters: [SavedParameter]
    /// How its file spells paths, and what it says of a tied head.
    let form: AdapterForm
    let slots: AdapterSlots

    /// Puts a fresh adapter into a model.
    /// - Parameters:
    ///   - targets: the linear layers, for methods that choose among them.
    ///   - savedParameters: weights that train whole; no layer of theirs is adapted.
    ///   - generator: decides every random number, in the order of the model.
    /// - Throws: ``AdapterError``.
    public convenience init(
        _ method: any AdapterMethod, targets: TargetSelection = .standard, of slots: AdapterSlots,
        savedParameters: [Parameter] = [], using generator: Generator
    ) throws {
        var targets = targets
        targets.savedModules += savedParameters.map(\.modulePath)
        let parts = try method.makeParts(for: slots, targets: targets, using: generator)
        var saved = try savedParameters.map {
            try SavedParameter($0, key: type(of: method).format.keyPrefix + $0.name)
        }
        saved += try Self.biases(method, parts, slots).filter { bias in
            !savedParameters.contains { $0 === bias.parameter }
        }
        self.init(method, parts, targets: targets, savedParameters: saved, of: slots)
        putIn()
    }

    init(
        _ method: any AdapterMethod, _ parts: AdapterParts, targets: TargetSelection,
        savedParameters: [SavedParameter], form: AdapterForm = AdapterForm(),
        of slots: AdapterSlots
    ) {
        self.method = method
        self.targets = targets
        contents = parts
        self.savedParameters = savedParameters
        self.form = form
        self.slots = slots
    }

    /// The biases that train along, under the names that PEFT gives them.
    private static func biases(
        _ method: any AdapterMethod, _ parts: AdapterParts, _ slots: AdapterSlots
    ) throws -> [SavedParameter] {
        let prefix = type(of: method).format.keyPrefix
        let adapted = parts.placed.compactMap(\.layer)
        let inside = try adapted.compactMap { layer in
            try layer.bias.map {
                try SavedParameter($0, key: "\(prefix)\(layer.path).base_layer.bias")
            }
        }
        switch method.trainedBiases {
        case .none: return []
        case .adapted: return inside
        case .all:
            let others = slots.parameters.filter { parameter in
                parameter.name.hasSuffix(".bias")
                    && !inside.contains { $0.parameter === parameter }
            }
            return try inside + others.map { try SavedParameter($0, key: prefix + $0.name) }
        }
    }

    // MARK: - Layers and tensors

    /// In the model's order.
    public var parts: [PlacedPart] { contents.placed }

    /// The adapted linear layers, in the model's order.
    public var layers: [Linear] { parts.compactMap(\.layer) }

    /// Every tensor of the adapter that trains, with its full name.
    public var parameters: [(name: String, value: Tensor)] {
        parts.flatMap { placed in
            placed.part.parameters.map { (placed.path + $0.name, $0.value) }
        }
    }

    /// Every tensor that does not train but belongs to a run's checkpoint, with its full name.
    public var state: [(name: String, value: Tensor)] {
        parts.flatMap { placed in placed.part.state.map { (placed.path + $0.name, $0.value) } }
    }

    /// Trainable numbers of the adapter; the saved modules are not counted.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

    /// Every tensor of a saved adapter by its name in the file, but for the weights of the model.
    func savedTensors() throws -> [(key: String, value: Tensor)] {
        let prefix = type(of: method).format.keyPrefix
        return try parts.flatMap { placed in
            // The one part of a whole model has no path, and PEFT gives its tensors no prefix.
            let fullPath = placed.path.isEmpty ? "" : prefix + path(placed.path)
            return try placed.part.savedTensors().map { (fullPath + $0.name, $0.value) }
        }
    }

    /// A path as the file has it.
    private func path(_ path: String) -> String {
        form.isOfBareBody ? path.withoutPrefix(slots.bodyPrefix) : path
    }

    /// `target_modules` and its kin, of methods that choose among linear layers.
    var targetFields: [String: Any] {
        let targets = targets.standing(for: method.standardTargets)
        return layers.isEmpty
            ? [:]
            : targets.fields(
                chosen: layers.map { path($0.path) }, standard: slots.defaultTargets,
                hasExclusion: type(of: method).format.hasExclusion)
    }

    // MARK: - In the model and out of it

    /// Whether the model has the adapter in its slots.
    public var isIn: Bool { parts.allSatisfy(\.isIn) }

    /// Puts the parts into their slots, and the weights that the adapter brings into the model.
    public func putIn() {
        for part in parts { part.putIn() }
        putInSaved()
    }

    /// Puts the weights that the adapter brings into the model.
    func putInSaved() {
        for saved in savedParameters { saved.parameter.value = saved.value }
        guard let tied = slots.tiedHead, !form.keepsTie else { return }
        if let head = saved(tied.own) {
            tied.part(headWeight: head.value)
        } else if let embedding = saved(tied.embedding), !tied.isApart {
            tied.part(headWeight: embedding.original)
        }
    }

    /// Takes the adapter off; the model is what it was.
    public func remove() {
        for part in parts { part.takeOut() }
        for saved in savedParameters { saved.parameter.value = saved.original }
        if let tied = slots.tiedHead, saved(tied.own) != nil || saved(tied.embedding) != nil {
            tied.join()
        }
    }

    private func saved(_ parameter: Parameter) -> SavedParameter? {
        savedParameters.first { $0.parameter === parameter }
    }

    /// Tells parts that follow the steps of training where it stands.
    public func prepare(_ progress: TrainingProgress) {
        for case let part as any StepAwareAdapter in parts.map(\.part) { part.prepare(progress) }
    }

    /// The adapted layers with the changes of their weights, in the model's order.
    /// - Throws: ``AdapterError/doesNotMerge(method:)`` where a part changes anything else.
    public var weightChanges: [(layer: Linear, change: any WeightChange)] {
        get throws {
            try parts.map { placed in
                guard let weightChange = placed.weightChange else {
                    throw AdapterError.doesNotMerge(method: type(of: method).facts.name)
                }
                return weightChange
            }
        }
    }

    /// Adds the update to every weight for good and empties the slots.
    /// - Throws: ``AdapterError/doesNotMerge(method:)``, `MergeObstacle`; then nothing is merged.
    public func merge() throws {
        try checkMerges()
        for layer in layers { _ = try layer.mergedBias() }
        for layer in layers { try layer.mergeAdapter() }
    }

    /// - Throws: ``AdapterError/doesNotMerge(method:)``.
    public func checkMerges() throws { _ = try weightChanges }
}
