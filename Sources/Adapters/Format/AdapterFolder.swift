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
    private let weights: SafetensorsFile

    /// Reads the configuration and the table of tensors, and checks both.
    /// - Throws: ``AdapterError``, ``ConfigurationError``, ``SafetensorsError``.
    public init(_ url: URL) throws {
        let file = url.appendingPathComponent(Self.configurationName)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw AdapterError.noAdapter(folder: url.path)
        }
        self.url = url
        configuration = try ConfigurationFile(file)
        // These tell methods of one type apart.
        for name in ["use_dora", "use_mora"] { _ = try configuration.flag(name) }
        let type = try configuration.text("peft_type") ?? "(none)"
        guard let found = MethodRegistry.adapterMethod(peftType: type, configuration) else {
            throw AdapterError.unsupported(
                file: file.path, key: "peft_type", found: type,
                reason: "but known are " + MethodRegistry.peftTypes.joined(separator: ", "))
        }
        try Self.checkTask(configuration)
        weights = try Self.openWeights(in: url)
        method = try found.init(configuration).fitted(to: weights)
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
        let place = folder.appendingPathComponent(weightsName)
        let pickle = folder.appendingPathComponent("adapter_model.bin")
        let manager = FileManager.default
        if !manager.fileExists(atPath: place.path), manager.fileExists(atPath: pickle.path) {
            throw AdapterError.pickled(file: pickle.path)
        }
        return try SafetensorsFile(place)
    }

    private var prefix: String { type(of: method).keyPrefix }

    /// What the adapted model is for, where that is said.
    public var task: TaskType? {
        (configuration.fields["task_type"] as? String).flatMap(TaskType.init)
    }

    /// The model that it was trained on, as it was named then.
    public var baseModel: String? { configuration.fields["base_model_name_or_path"] as? String }

    /// Its revision, where it is a repository of the hub and one was named.
    public var baseRevision: String? { configuration.fields["revision"] as? String }

    /// Outputs of the head that is saved with the adapter, if one is.
    public var labels: Int? {
        weights.shape(of: prefix + "classifier.weight")?.first
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
        let targets = try TargetSelection(configuration)
        let form = try form(for: slots)
        let method = try method(in: form, slots)
        let reading = AdapterReading(
            file: weights, slots: slots, method: type(of: method),
            savedModules: try configuration.list("modules_to_save") ?? [],
            biases: method.trainedBiases, form: form)
        try reading.checkSizes(of: method)
        let parts = try method.makeSavedParts(for: slots, targets: targets)
        let set = AdapterSet(
            method, parts, targets: targets, savedParameters: try reading.savedParameters(parts),
            form: form, of: slots)
        try reading.load(set)
        return set
    }

    private func form(for slots: AdapterSlots) throws -> AdapterForm {
        var form = AdapterForm()
        let paths = weights.names.filter { $0.hasPrefix(prefix) }.map { $0.withoutPrefix(prefix) }
        form.isOfBareBody =
            !paths.isEmpty && !slots.bodyPrefix.isEmpty
            && !paths.contains { $0.hasPrefix(slots.bodyPrefix) }
        if let tied = slots.tiedHead { form.keepsTie = try keepsTie(tied) }
        return form
    }

    /// An embedding that is no module to save is the base's own, with all that share it; one that is parts
    /// from the head unless LoRA's `ensure_weight_tying` is set, which PEFT heeds for two names alone.
    private func keepsTie(_ tied: TiedHead) throws -> Bool {
        let listed = try configuration.list("modules_to_save") as [String]? ?? []
        let ends = [tied.embedding.modulePath, tied.own.modulePath]
        guard listed.contains(where: { name in ends.contains { $0.hasSuffix(name) } }) else {
            return true
        }
        let isHeeded = listed.contains { $0.isOrEndsIn("embed_tokens") || $0.isOrEndsIn("lm_head") }
        return try configuration.flag("ensure_weight_tying") ?? false && isHeeded
            && type(of: method).peftType == LoRA.peftType
    }

    /// The method as its patterns mean it for this model: '^' is where a path of the file begins.
    private func method(
        in form: AdapterForm, _ slots: AdapterSlots
    ) throws -> any AdapterMethod {
        guard form.isOfBareBody else { return method }
        let start = "^" + slots.bodyPrefix.replacing(".", with: "\\.")
        let anchored = configuration.renamingKeys(of: ["rank_pattern", "alpha_pattern"]) { key in
            key.hasPrefix("^") ? start + key.dropFirst() : key
        }
        return try type(of: method).init(anchored).fitted(to: weights)
    }
}

extension AdapterFolder {
    /// What the adapted model is for, as PEFT spells it.
    public enum TaskType: String, CaseIterable, Sendable {
        case sequenceClassification = "SEQ_CLS"
        case causalLanguageModel = "CAUSAL_LM"
        case featureExtraction = "FEATURE_EXTRACTION"
    }

    /// Writes an adapter, each file whole or not at all.
    /// - Parameters:
    ///   - baseModel: the folder or name of the model, for `base_model_name_or_path`.
    ///   - baseRevision: the model's revision, where one was named.
    ///   - seed: what the adapter's start was drawn from, for formats that record it.
    public static func write(
        _ set: AdapterSet, task: TaskType? = .sequenceClassification, baseModel: String,
        baseRevision: String? = nil, seed: UInt64 = 0, to folder: URL
    ) throws {
        var tensors: [String: Tensor] = [:]
        for (key, value) in try set.savedTensors() { tensors[key] = try value.to(.float32) }
        if set.savesShared {
            for (name, value) in set.shared {
                tensors["base_model." + name] = try value.to(.float32)
            }
        }
        for saved in set.savedParameters {
            for key in set.keys(of: saved) { tensors[key] = try saved.stored().to(.float32) }
        }
        try SafetensorsWriter.write(tensors, to: folder.appendingPathComponent(weightsName))
        var fields = fields(of: set, task: task, baseModel: baseModel, seed: seed)
        if let baseRevision { fields["revision"] = baseRevision }
        let json = try SortedJSON(fields).data()
        try AtomicFile.write(json, to: folder.appendingPathComponent(configurationName))
    }

    private static func fields(
        of set: AdapterSet, task: TaskType?, baseModel: String, seed: UInt64
    ) -> [String: Any] {
        var fields = set.method.fields(of: set.parts.map(\.part), seed: seed)
        // PEFT's word for weights that are kept as (in, out); the adapter's own shapes are the same.
        if fields["fan_in_fan_out"] != nil {
            fields["fan_in_fan_out"] = set.layers.contains { $0.weight.storage == .transposed }
        }
        fields["peft_type"] = type(of: set.method).peftType
        fields["task_type"] = task?.rawValue ?? NSNull()
        fields["base_model_name_or_path"] = baseModel
        fields["inference_mode"] = true
        fields.merge(set.targetFields) { _, new in new }
        fields["modules_to_save"] = set.savedModuleNames.sorted()
        return fields
    }
}

extension AdapterSet {
    /// The shortest names of the modules that are saved whole, each of which names no other module: PEFT
    /// takes every module whose path ends in one, be it in the middle of a word.
    fileprivate var savedModuleNames: Set<String> {
        var whole = Set(
            savedParameters.filter { !$0.isBiasAlone(of: self) }.map(\.parameter.modulePath))
        if form.keepsTie, let tied = slots.tiedHead, whole.contains(tied.embedding.modulePath) {
            whole.insert(tied.own.modulePath)
        }
        let others = Set(slots.savable.map(\.modulePath)).subtracting(whole)
        return Set(
            whole.map { path in
                let words = path.split(separator: ".")
                let names = words.indices.reversed().map { words[$0...].joined(separator: ".") }
                return names.first { name in
                    !others.contains { $0.isInside(name) || $0.hasSuffix(name) }
                } ?? path
            })
    }

    /// A weight that the embedding and the head go on sharing is written for both.
    fileprivate func keys(of saved: SavedParameter) -> [String] {
        guard form.keepsTie, let tied = slots.tiedHead, saved.parameter === tied.embedding else {
            return [saved.key]
        }
        return [tied.embedding, tied.own].map { type(of: method).keyPrefix + $0.name }
    }
}

extension SavedParameter {
    /// Whether the method's own choice of biases brings it, not a module that is saved whole.
    fileprivate func isBiasAlone(of set: AdapterSet) -> Bool {
        guard set.method.trainedBiases != .none, name.hasSuffix(".bias") else { return false }
        let module = name.dropLast("bias".count)
        return !set.savedParameters.contains { $0.name != name && $0.name.hasPrefix(module) }
    }
}
