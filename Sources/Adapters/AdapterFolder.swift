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
        let type = try configuration.text("peft_type") ?? "(none)"
        guard let found = MethodRegistry.adapterMethod(peftType: type, configuration) else {
            throw AdapterError.unsupported(
                file: file.path, key: "peft_type", found: type,
                reason: "but known are " + MethodRegistry.peftTypes.joined(separator: ", "))
        }
        weights = try SafetensorsFile(url.appendingPathComponent(Self.weightsName))
        method = try found.init(configuration).fitted(to: weights)
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
        let reading = AdapterReading(
            file: weights, prefix: prefix, bodyPrefix: slots.bodyPrefix, method: type(of: method))
        try reading.checkSizes(of: method, in: slots)
        let parts = try method.makeSavedParts(for: slots, targets: targets)
        let saved = try reading.savedParameters(
            of: slots.parameters, parts,
            listed: try configuration.list("modules_to_save") ?? [])
        let set = AdapterSet(method, parts, targets: targets, savedParameters: saved, of: slots)
        try reading.load(set)
        return set
    }
}

extension AdapterFolder {
    /// What the adapted model is for, as PEFT spells it.
    public enum TaskType: String, Sendable {
        case sequenceClassification = "SEQ_CLS"
        case causalLanguageModel = "CAUSAL_LM"
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
        for saved in set.savedParameters { tensors[saved.key] = try saved.value.to(.float32) }
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
    /// The shortest names of the modules that are saved whole, each of which names no other module.
    fileprivate var savedModuleNames: Set<String> {
        let whole = Set(
            savedParameters.filter { !$0.isBiasAlone(of: self) }.map(\.parameter.modulePath))
        let others = Set(slots.parameters.map(\.modulePath)).subtracting(whole)
        return Set(
            whole.map { path in
                let words = path.split(separator: ".")
                let names = words.indices.reversed().map { words[$0...].joined(separator: ".") }
                return names.first { name in !others.contains { $0.isInside(name) } } ?? path
            })
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
