import DualModules
import DualTorch
import Foundation

/// A saved adapter in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`.
///
/// Reference: PEFT's `save_pretrained`; tensor names are `base_model.model.`, the module path, the
/// parameter. Methods that PEFT does not have are written in the same style under a `peft_type` of
/// their own.
public struct AdapterFolder {
    static let configurationName = "adapter_config.json"
    static let weightsName = "adapter_model.safetensors"

    public let url: URL
    /// As the configuration describes it, and the tensors where that says something else.
    public let method: any AdapterMethod
    private let configuration: ConfigurationFile
    /// Tokens whose rows it brings.
    private let tokens: TokenIndices
    private let weights: AdapterTensors

    /// Reads the configuration and the table of tensors, and checks both.
    /// - Throws: ``AdapterError``, ``ConfigurationError``, ``SafetensorsError``.
    public init(_ url: URL) throws {
        let file = url.appendingPathComponent(Self.configurationName)
        guard FileManager.default.hasEntry(file) else {
            throw AdapterError.noAdapter(folder: url.path)
        }
        self.url = url
        configuration = try ConfigurationFile(file)
        let method = try MethodRegistry.adapterMethod(of: configuration)
        try Self.checkTask(configuration)
        weights = try AdapterTensors(Self.openWeights(in: url))
        self.method = try method.init(configuration).fitted(to: weights.file)
        tokens = try TokenIndices(configuration)
        guard tokens.isEmpty || method.format.hasTokenIndices else {
            throw AdapterError.unsupported(
                file: file.path, key: TokenIndices.key, found: "set",
                reason: "which files of the peft_type '\(method.format.peftType)' do not have")
        }
    }

    /// - Throws: ``AdapterError/unsupported(file:key:found:reason:)`` for what no model here is for.
    private static func checkTask(_ configuration: ConfigurationFile) throws {
        guard let type = try configuration.text("task_type"), TaskType(rawValue: type) == nil
        else { return }
        throw AdapterError.unsupported(
            file: configuration.url.path, key: "task_type", found: type,
            reason: "but known are " + TaskType.allCases.map(\.rawValue).joined(separator: ", "))
    }

    private static func openWeights(in folder: URL) throws -> SafetensorsFile {
        let weights = folder.appendingPathComponent(weightsName)
        let pickle = folder.appendingPathComponent("adapter_model.bin")
        let manager = FileManager.default
        if !manager.hasEntry(weights), manager.hasEntry(pickle) {
            throw AdapterError.pickled(file: pickle.path)
        }
        return try SafetensorsFile(weights)
    }

    private var format: AdapterFormat { type(of: method).format }

    private var prefix: String { format.keyPrefix }

    /// What the adapted model is for, where that is said.
    public var task: TaskType? {
        (configuration.fields["task_type"] as? String).flatMap(TaskType.init)
    }

    /// The model that it was trained on, as it was named then.
    public var baseModel: String? { configuration.fields["base_model_name_or_path"] as? String }

    /// Its revision, where it is a repository of the hub and one was named.
    public var baseRevision: String? { configuration.fields["revision"] as? String }

    /// Outputs of a head that is saved with the adapter; nil where it is not.
    /// - Parameter path: of the head, such as `classifier`.
    public func labels(ofHead path: String) -> Int? {
        weights.shape(of: prefix + path + ".weight")?.first
    }

    /// Puts the saved adapter on a model and its saved modules in the place of the model's.
    /// - Throws: as ``load(for:)``, and then the model is left as it is.
    public func attach(to slots: AdapterSlots) throws -> AdapterSet {
        let set = try load(for: slots)
        set.putIn()
        return set
    }

    /// Reads the adapter for a model that has none in its slots, and leaves the model as it is.
    ///
    /// Every tensor of the file must find its place, and every place a tensor.
    /// - Throws: ``AdapterError`` naming the tensor.
    public func load(for slots: AdapterSlots) throws -> AdapterSet {
        var targets = try TargetSelection(configuration)
        let form = try form(for: slots)
        targets.keepsTie = try form.keepsTie && keepsTargetsTied(targets, slots)
        let method = try method(in: form, slots)
        let reading = AdapterReading(
            file: weights, slots: slots, format: format,
            savedModules: try configuration.list("modules_to_save") ?? [],
            biases: method.trainedBiases, form: form)
        try reading.checkSizes(of: method)
        var parts = try method.makeSavedParts(for: slots, targets: targets)
        if targets.keepsTie { parts = try withTiedHead(parts, slots) }
        let tokenParts = try tokens.parts(for: slots)
        let saved = try reading.savedParameters(parts, tokenParts)
        try AdapterSet.check(tokenParts, beside: parts)
        func set(_ saved: [SavedParameter]) -> AdapterSet {
            AdapterSet(
                method, parts, tokenParts: tokenParts, targets: targets, savedParameters: saved,
                form: form, of: slots)
        }
        try reading.load(set(saved))
        let set = set(try saved.filter { try !isUnchangedEnd($0, slots) })
        set.notes = set.tieNotes
        set.notes += try method.unmatchedPatterns(of: parts).map { _, pattern in
            "\(configuration.url.path): the pattern '\(pattern)' matches none of the adapted layers"
        }
        return set
    }

    /// Whether a weight that PEFT saved beside an adapter of an embedding or head is the model's own.
    private func isUnchangedEnd(_ saved: SavedParameter, _ slots: AdapterSlots) throws -> Bool {
        guard saved.key.contains(".base_layer."),
            [slots.embeddings.first?.weight, slots.head?.weight].contains(where: {
                $0 === saved.parameter
            })
        else { return false }
        return try saved.value.to(saved.original.numberType)
            .hasSameElements(as: saved.original.dense())
    }

    /// How many rows the embedding of words needs for the adapter, no fewer than it has: as many as a matrix
    /// brings that is saved whole, else room for `tokenizerCount` and for the tokens whose rows are brought.
    /// What has the size of another vocabulary otherwise is of another model.
    /// - Parameter tokenizerCount: tokens of the tokenizer in the adapter's folder; nil where there is none.
    /// - Throws: ``AdapterError``.
    public func vocabularySize(for slots: AdapterSlots, tokenizerCount: Int?) throws -> Int? {
        guard let words = slots.embeddings.first else { return nil }
        let (count, size) = (words.weight.stored.size(0), words.weight.stored.size(1))
        let ends = [words.path] + (slots.head.map { [$0.path] } ?? [])
        let brought = ends.flatMap { path -> [Int] in
            let paths = [path, path.withoutPrefix(slots.bodyPrefix)].map { prefix + $0 }
            let names = ["weight", "base_layer.weight", "token_adapter.base_layer.weight"]
            let shapes = paths.flatMap { path in
                names.compactMap { weights.shape(of: "\(path).\($0)") }
            }
            return shapes.filter { $0.count == 2 && $0[1] == size }.map { $0[0] }
        }
        if let rows = brought.max() { return max(count, rows) }
        let room = max(count, tokenizerCount ?? 0)
        return max(room, try tokens.rowsNeeded(beyond: room))
    }

    /// Whether the head has the embedding's adapter, as PEFT's `ensure_weight_tying` asks for, which is
    /// heeded for two names alone.
    private func keepsTargetsTied(
        _ targets: TargetSelection, _ slots: AdapterSlots
    ) throws -> Bool {
        guard slots.tiedHead != nil, format.heedsWeightTying,
            try configuration.flag("ensure_weight_tying") ?? false
        else { return false }
        switch targets.rule {
        case .names(let names):
            return names.contains { name in Self.tiedNames.contains { name.isOrEndsIn($0) } }
        case .pattern(let pattern):
            return try Self.tiedNames.contains { try LayerPath.matches($0, pattern) }
        case .allLinear, .feedForward, .branchEnds, .standard: return false
        }
    }

    private static let tiedNames = ["embed_tokens", "lm_head"]

    /// The parts with one for a head that follows the embedding's.
    /// - Throws: ``AdapterError/unsupported(file:key:found:reason:)`` of a method that has none.
    private func withTiedHead(_ parts: AdapterParts, _ slots: AdapterSlots) throws -> AdapterParts {
        guard let head = slots.head else { return parts }
        for case .embedding(let embedding, let lora as LoRAEmbedding) in parts.placed
        where embedding === slots.embeddings.first {
            return parts.adding([.linear(head, try TiedHeadLoRA(lora, of: embedding))])
        }
        throw AdapterError.unsupported(
            file: configuration.url.path, key: "ensure_weight_tying", found: "true",
            reason: "which \(type(of: method).facts.name) has no form for: the head would need an "
                + "adapter that is the embedding's too")
    }

    private func form(for slots: AdapterSlots) throws -> AdapterForm {
        var form = AdapterForm()
        let paths = weights.names.filter { $0.hasPrefix(prefix) }.map { $0.withoutPrefix(prefix) }
        let heads = slots.savable.filter { !$0.name.hasPrefix(slots.bodyPrefix) }.map(\.modulePath)
        form.isOfBareBody =
            !paths.isEmpty && !slots.bodyPrefix.isEmpty
            && !paths.contains { path in
                path.hasPrefix(slots.bodyPrefix) || heads.contains { path.hasPrefix($0 + ".") }
            }
        if let tied = slots.tiedHead { form.keepsTie = try keepsTie(tied) }
        return form
    }

    /// An embedding that is no module to save is the base's own, with all that share it; one that is parts
    /// from the head unless `ensure_weight_tying` is set, which PEFT heeds for two names alone.
    private func keepsTie(_ tied: TiedHead) throws -> Bool {
        let listed = try configuration.list("modules_to_save") as [String]? ?? []
        let ends = [tied.embedding.modulePath, tied.own.modulePath]
        guard listed.contains(where: { name in ends.contains { $0.hasSuffix(name) } }) else {
            return true
        }
        let isHeeded = listed.contains { name in Self.tiedNames.contains { name.isOrEndsIn($0) } }
        return try configuration.flag("ensure_weight_tying") ?? false && isHeeded
            && format.heedsWeightTying
    }

    /// The method as its patterns mean it for this model: '^' is where a path of the file begins.
    private func method(
        in form: AdapterForm, _ slots: AdapterSlots
    ) throws -> any AdapterMethod {
        guard form.isOfBareBody else { return method }
        let start = "^" + slots.bodyPrefix.replacing(".", with: "\\.")
        let anchored = configuration.renamingKeys(of: type(of: method).patternKeys) { key in
            key.hasPrefix("^") ? start + key.dropFirst() : key
        }
        return try type(of: method).init(anchored).fitted(to: weights.file)
    }
}
