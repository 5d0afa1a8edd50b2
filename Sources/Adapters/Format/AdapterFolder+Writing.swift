import DualModules
import DualTorch
import Foundation

extension AdapterFolder {
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
        if set.contents.savesShared {
            for (name, value) in set.contents.shared {
                tensors[AdapterFormat.sharedPrefix + name] = try value.to(.float32)
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
        let format = type(of: set.method).format
        var fields = set.method.fields(of: set.parts.map(\.part), seed: seed)
        // PEFT's word for weights that are kept as (in, out); the adapter's own shapes are the same.
        if format.hasStorage {
            fields["fan_in_fan_out"] = set.layers.contains { $0.weight.storage == .transposed }
        }
        fields["peft_type"] = format.peftType
        fields["task_type"] = task?.rawValue ?? NSNull()
        fields["base_model_name_or_path"] = baseModel
        fields["inference_mode"] = true
        fields.merge(set.targetFields) { _, new in new }
        if let tokens = set.tokenParts.tokenIndices { fields[TokenIndices.key] = tokens }
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
        return [tied.embedding, tied.own].map { type(of: method).format.keyPrefix + $0.name }
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
