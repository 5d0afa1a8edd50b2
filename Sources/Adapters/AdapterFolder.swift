import DualModules
import DualTorch
import Foundation

/// A saved adapter in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`.
///
/// Reference: PEFT's `save_pretrained`; tensor names are `base_model.model.`, the module path, the
/// parameter. Dual LoRA, which PEFT does not have, is written in the same style under a `peft_type`
/// of its own.
public struct AdapterFolder {
    static let configurationName = "adapter_config.json"
    static let weightsName = "adapter_model.safetensors"
    private static let prefix = "base_model.model."

    public let url: URL
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
        guard let found = MethodRegistry.adapterMethod(peftType: type) else {
            throw AdapterError.unsupported(
                file: file.path, key: "peft_type", found: type,
                reason: "but known are " + MethodRegistry.peftTypes.joined(separator: ", "))
        }
        method = try found.init(configuration)
        weights = try SafetensorsFile(url.appendingPathComponent(Self.weightsName))
    }

    /// Outputs of the head that is saved with the adapter, if one is.
    public var labels: Int? { weights.shape(of: Self.prefix + "classifier.weight")?.first }

    /// Puts the saved adapter on a model and its saved modules in the place of the model's.
    ///
    /// Every tensor of the file must find its place, and every place a tensor.
    /// - Throws: ``AdapterError`` naming the tensor.
    public func attach(to linears: [Linear], parameters: [Parameter]) throws -> AdapterSet {
        var rest = Set(weights.names)
        let layers = try adaptedLayers(of: linears)
        let saved = try savedParameters(of: parameters)
        let listed = configuration.fields["target_modules"] as? [String]
        let set = try AdapterSet(
            method, layers: layers, targetNames: listed ?? layers.map(\.path),
            savedParameters: saved.map(\.parameter), using: Generator(seed: 0))
        for layer in layers {
            for (name, value) in layer.adapter?.parameters ?? [] {
                let key = try key(of: "\(layer.path).\(name)")
                try load(key, into: value)
                rest.remove(key)
            }
        }
        for (parameter, key) in saved {
            let value = try Tensor.zeros(parameter.value.shape, device: parameter.value.device)
            try load(key, into: value)
            parameter.value = value
            rest.remove(key)
        }
        guard rest.isEmpty else {
            throw AdapterError.extraTensors(names: rest.sorted(), file: weights.url.path)
        }
        return set
    }

    /// The layers that the file has tensors for, and that the configuration's list names.
    private func adaptedLayers(of linears: [Linear]) throws -> [Linear] {
        let names = type(of: method).tensorNames
        var adapted: Set<String> = []
        for key in weights.names {
            guard let name = names.first(where: { key.hasSuffix("." + $0) }) else { continue }
            let path = String(key.dropLast(name.count + 1)).removingPrefix(Self.prefix)
            guard let layer = linears.first(where: { $0.path.isOrEndsIn(path) }) else {
                throw AdapterError.noSuchLayer(name: key, file: weights.url.path)
            }
            adapted.insert(layer.path)
        }
        if let listed = configuration.fields["target_modules"] as? [String],
            configuration.fields["layers_to_transform"] == nil,
            configuration.fields["exclude_modules"] == nil
        {
            adapted.formUnion(try TargetSelection.names(listed).layers(of: linears).map(\.path))
        }
        return linears.filter { adapted.contains($0.path) }
    }

    /// Parameters that the file has whole, with their keys; a module that is saved is saved whole.
    private func savedParameters(
        of parameters: [Parameter]
    ) throws -> [(parameter: Parameter, key: String)] {
        let names = type(of: method).tensorNames
        let saved: [(parameter: Parameter, key: String)] = try weights.names.compactMap { key in
            if names.contains(where: { key.hasSuffix("." + $0) }) { return nil }
            let name = key.removingPrefix(Self.prefix)
            guard let found = parameters.first(where: { $0.name.isOrEndsIn(name) }) else {
                throw AdapterError.noSuchLayer(name: key, file: weights.url.path)
            }
            return (found, key)
        }
        let listed = configuration.fields["modules_to_save"] as? [String] ?? []
        let found = Set(saved.map(\.parameter.name))
        for parameter in parameters where !found.contains(parameter.name) {
            let module = parameter.name.split(separator: ".").dropLast().joined(separator: ".")
            let isStarted = found.contains { $0.hasPrefix(module + ".") }
            if isStarted || listed.contains(where: module.isOrEndsIn) {
                throw AdapterError.missingTensor(
                    name: Self.prefix + parameter.name, file: weights.url.path)
            }
        }
        return saved
    }

    /// The file's name of a tensor; adapters of a bare encoder lack the first part of the path.
    private func key(of name: String) throws -> String {
        let whole = Self.prefix + name
        if weights.contains(whole) { return whole }
        let bare = Self.prefix + name.split(separator: ".").dropFirst().joined(separator: ".")
        if weights.contains(bare) { return bare }
        throw AdapterError.missingTensor(name: whole, file: weights.url.path)
    }

    private func load(_ key: String, into value: Tensor) throws {
        let stored = try weights.tensor(key)
        guard stored.shape == value.shape else {
            throw AdapterError.wrongShape(
                name: key, file: weights.url.path, expected: value.shape, found: stored.shape)
        }
        try withoutGradient { _ = try value.copy(from: stored) }
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
    ///   - seed: what the adapter's start was drawn from, for formats that record it.
    public static func write(
        _ set: AdapterSet, task: TaskType = .sequenceClassification, baseModel: String,
        seed: UInt64 = 0, to folder: URL
    ) throws {
        var tensors: [String: Tensor] = [:]
        for (name, value) in set.parameters { tensors[prefix + name] = try value.to(.float32) }
        for parameter in set.savedParameters {
            tensors[prefix + parameter.name] = try parameter.value.to(.float32)
        }
        try SafetensorsWriter.write(tensors, to: folder.appendingPathComponent(weightsName))
        let json = try JSONSerialization.data(
            withJSONObject: fields(of: set, task: task, baseModel: baseModel, seed: seed),
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try AtomicFile.write(json, to: folder.appendingPathComponent(configurationName))
    }

    private static func fields(
        of set: AdapterSet, task: TaskType, baseModel: String, seed: UInt64
    ) -> [String: Any] {
        var fields = set.method.fields(of: set.adapters, seed: seed)
        // PEFT's word for weights that are kept as (in, out); the adapter's own shapes are the same.
        if fields["fan_in_fan_out"] != nil {
            fields["fan_in_fan_out"] = set.layers.contains { $0.weight.storage == .transposed }
        }
        fields["peft_type"] = type(of: set.method).peftType
        fields["task_type"] = task.rawValue
        fields["base_model_name_or_path"] = baseModel
        fields["inference_mode"] = true
        fields["target_modules"] = set.targetNames.sorted()
        let modules = Set(set.savedParameters.map { $0.name.moduleName })
        fields["modules_to_save"] = modules.sorted()
        return fields
    }
}

extension String {
    fileprivate func removingPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }

    fileprivate func isOrEndsIn(_ name: String) -> Bool { self == name || hasSuffix("." + name) }

    /// The module of a parameter: what stands before `.weight` or `.bias`, its last word but for
    /// layers that are called `dense`, whose parent tells them apart.
    fileprivate var moduleName: String {
        let words = split(separator: ".").dropLast()
        let last = words.last.map(String.init) ?? self
        return last == "dense" ? words.suffix(2).joined(separator: ".") : last
    }
}
