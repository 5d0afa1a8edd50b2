import DualModules
import DualTorch

/// One adapter of a whole model: the method, its parts, and the weights that train beside them.
public final class AdapterSet {
    /// The method with its hyper-parameters.
    public let method: any AdapterMethod
    /// The layers that the user, or a file, names.
    public let targets: TargetSelection
    /// The parts and what they share.
    let contents: AdapterParts
    /// Parts that bring rows of single tokens, for the embedding and the head: PEFT's
    /// `trainable_token_indices`.
    let tokenParts: [PlacedPart]
    /// Weights of the model that train whole and are saved with the adapter: the head, modules that
    /// the user names, biases.
    public let savedParameters: [SavedParameter]
    /// How its file spells paths, and what it says of a tied head.
    let form: AdapterForm
    let slots: AdapterSlots
    /// What the user should know of a file that it was read from, a sentence each.
    public internal(set) var notes: [String] = []

    /// Puts a fresh adapter into a model.
    /// - Parameters:
    ///   - targets: the layers, for methods that choose among them.
    ///   - savedParameters: weights that train whole; no layer of theirs is adapted.
    ///   - tokens: numbers of tokens whose rows of the embedding, and of the head, train where these do not
    ///     train whole.
    ///   - generator: decides every random number, in the order of the model.
    /// - Throws: ``AdapterError``.
    public convenience init(
        _ method: any AdapterMethod, targets: TargetSelection = .standard, of slots: AdapterSlots,
        savedParameters: [Parameter] = [], tokens: [Int] = [], using generator: Generator
    ) throws {
        var targets = targets
        targets.savedModules += savedParameters.map(\.modulePath)
        let parts = try method.makeParts(for: slots, targets: targets, using: generator)
        let tokenParts = try slots.tokenParts(tokens, beside: savedParameters)
        try AdapterSet.check(tokenParts, beside: parts)
        guard tokenParts.isEmpty || type(of: method).format.hasTokenIndices else {
            throw AdapterError.badOption(
                method: type(of: method).facts.name, option: "add-tokens",
                reason: "its file has no place for rows of single tokens; train "
                    + "\(tokenParts.map { String($0.path.dropLast()) }.joined(separator: " and ")) "
                    + "whole, by `modules-to-save`")
        }
        var saved = try savedParameters.map {
            try SavedParameter($0, key: type(of: method).format.keyPrefix + $0.name)
        }
        saved += try Self.biases(method, parts, slots).filter { bias in
            !savedParameters.contains { $0 === bias.parameter }
        }
        self.init(
            method, parts, tokenParts: tokenParts, targets: targets, savedParameters: saved,
            of: slots)
        notes = tieNotes
        putIn()
    }

    /// Refuses patterns of layers' paths that match none of the layers which are adapted.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)``.
    package func checkPatterns() throws { try method.checkPatterns(contents) }

    /// What the user should know where a method changes one end of a weight that two share.
    var tieNotes: [String] {
        guard let tied = slots.tiedHead, !targets.keepsTie else { return [] }
        let ends = [tied.embedding.modulePath, tied.own.modulePath]
        let changed = parts.compactMap(\.targetPath).filter(ends.contains)
        guard let first = changed.first else { return [] }
        return [
            "the head shares the embedding's weight: the adapter of \(first) leaves the other as it is, "
                + "and a merged model has two weights"
        ]
    }

    init(
        _ method: any AdapterMethod, _ parts: AdapterParts, tokenParts: [PlacedPart] = [],
        targets: TargetSelection, savedParameters: [SavedParameter],
        form: AdapterForm = AdapterForm(), of slots: AdapterSlots
    ) {
        self.method = method
        self.targets = targets
        contents = parts
        self.tokenParts = tokenParts
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

    /// Refuses rows of tokens where the whole weight trains, or has an adapter, besides: as PEFT does.
    /// - Throws: ``AdapterError/tokensTwice(path:)``.
    static func check(
        _ tokenParts: [PlacedPart], beside parts: AdapterParts
    ) throws {
        let taken = Set(parts.placed.map(\.path))
        for part in tokenParts where taken.contains(part.path) {
            throw AdapterError.tokensTwice(path: String(part.path.dropLast()))
        }
    }

    // MARK: - Layers and tensors

    /// The method's, in the model's order.
    public var parts: [PlacedPart] { contents.placed }

    /// The method's parts, and those that bring rows of tokens.
    var allParts: [PlacedPart] { parts + tokenParts }

    /// The adapted linear layers, in the model's order.
    public var layers: [Linear] { parts.compactMap(\.layer) }

    /// Every tensor of the method that trains, with its full name.
    public var parameters: [(name: String, value: Tensor)] {
        parts.flatMap { placed in
            placed.part.parameters.map { (placed.path + $0.name, $0.value) }
        }
    }

    /// Rows of tokens that train, with their full names.
    public var tokenRows: [(name: String, value: Tensor)] {
        tokenParts.flatMap { placed in
            placed.part.parameters.map { (placed.path + $0.name, $0.value) }
        }
    }

    /// Every tensor that does not train but belongs to a run's checkpoint, with its full name.
    public var state: [(name: String, value: Tensor)] {
        parts.flatMap { placed in placed.part.state.map { (placed.path + $0.name, $0.value) } }
    }

    /// Trainable numbers of the adapter; the saved modules are not counted.
    public var parameterCount: Int {
        (parameters + tokenRows).reduce(0) { $0 + $1.value.count }
    }

    /// Every tensor of a saved adapter by its name in the file, but for the weights of the model.
    func savedTensors() throws -> [(key: String, value: Tensor)] {
        let prefix = type(of: method).format.keyPrefix
        return try allParts.flatMap { placed in
            // The one part of a whole model has no path, and PEFT gives its tensors no prefix.
            let fullPath = placed.path.isEmpty ? "" : prefix + path(placed.path)
            return try placed.part.savedTensors().map { (fullPath + $0.name, $0.value) }
        }
    }

    /// A path as the file has it.
    private func path(_ path: String) -> String {
        form.isOfBareBody ? path.withoutPrefix(slots.bodyPrefix) : path
    }

    /// `target_modules` and its kin, of methods that choose among layers.
    var targetFields: [String: Any] {
        let targets = targets.standing(for: method.standardTargets)
        let chosen = parts.compactMap(\.targetPath)
        return chosen.isEmpty
            ? [:]
            : targets.fields(
                chosen: chosen.map(path), standard: slots.defaultTargets,
                hasExclusion: type(of: method).format.hasExclusion)
    }

    // MARK: - In the model and out of it

    /// Whether the model has the adapter in its slots.
    public var isIn: Bool { allParts.allSatisfy(\.isIn) }

    /// Puts the parts into their slots, and the weights that the adapter brings into the model.
    public func putIn() {
        for part in allParts { part.putIn() }
        putInSaved()
    }

    /// Puts the weights that the adapter brings into the model.
    func putInSaved() {
        for saved in savedParameters { saved.parameter.stored = .plain(saved.value) }
        guard let tied = slots.tiedHead, !form.keepsTie else { return }
        if let head = saved(tied.own) {
            tied.part(headWeight: .plain(head.value))
        } else if let embedding = saved(tied.embedding), !tied.isApart {
            tied.part(headWeight: embedding.original)
        }
    }

    /// Takes the adapter off; the model is what it was.
    public func remove() {
        for part in allParts { part.takeOut() }
        for saved in savedParameters { saved.parameter.stored = saved.original }
        if let tied = slots.tiedHead, saved(tied.own) != nil || saved(tied.embedding) != nil {
            tied.join()
        }
    }

    /// Takes the method's parts off; weights that the adapter brings whole, and rows of tokens, stay.
    package func takeOutParts() { for part in parts { part.takeOut() } }

    private func saved(_ parameter: Parameter) -> SavedParameter? {
        savedParameters.first { $0.parameter === parameter }
    }

    /// Tells parts that follow the steps of training where it stands.
    public func prepare(_ progress: TrainingProgress) {
        for case let part as any StepAwareAdapter in parts.map(\.part) { part.prepare(progress) }
    }

    /// The adapted linear layers with the changes of their weights, in the model's order.
    /// - Throws: ``AdapterError/doesNotMerge(method:)`` where a part changes anything but weights.
    public var weightChanges: [(layer: Linear, change: any WeightChange)] {
        get throws {
            try checkMerges()
            return parts.compactMap(\.weightChange)
        }
    }

    /// Adds the update to every weight for good and empties the slots. A head that shares the embedding's
    /// weight gets one of its own where the two are changed otherwise.
    /// - Throws: ``AdapterError/doesNotMerge(method:)``, `MergeObstacle`; then nothing is merged.
    public func merge() throws {
        try checkMerges()
        let inside = layers.filter { $0 !== slots.head }
        for layer in inside { _ = try layer.mergedBias() }
        let ends = try MergedEnds(of: slots)
        for layer in inside { try layer.mergeAdapter() }
        ends.putIn()
    }

    /// - Throws: ``AdapterError/doesNotMerge(method:)``.
    public func checkMerges() throws {
        guard parts.allSatisfy(\.isWeightChange) else {
            throw AdapterError.doesNotMerge(method: type(of: method).facts.name)
        }
    }
}
