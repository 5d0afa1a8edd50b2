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
        guard FileManager.default.hasEntry(file) else {
            throw AdapterError.noAdapter(folder: url.path)
        }
        self.url = url
        configuration = try ConfigurationFile(file)
        let method = try MethodRegistry.adapterMethod(of: configuration)
        try Self.checkTask(configuration)
        weights = try Self.openWeights(in: url)
        self.method = try method.init(configuration).fitted(to: weights)
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
        let targets = try TargetSelection(configuration)
        let form = try form(for: slots)
        let method = try method(in: form, slots)
        let reading = AdapterReading(
            file: weights, slots: slots, format: format,
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
    /// from the head unless `ensure_weight_tying` is set, which PEFT heeds for two names alone.
    private func keepsTie(_ tied: TiedHead) throws -> Bool {
        let listed = try configuration.list("modules_to_save") as [String]? ?? []
        let ends = [tied.embedding.modulePath, tied.own.modulePath]
        guard listed.contains(where: { name in ends.contains { $0.hasSuffix(name) } }) else {
            return true
        }
        let isHeeded = listed.contains { $0.isOrEndsIn("embed_tokens") || $0.isOrEndsIn("lm_head") }
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
        return try type(of: method).init(anchored).fitted(to: weights)
    }
}
