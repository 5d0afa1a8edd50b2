import DualAdapters
import DualModels
import DualModules
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// A trained adapter that a new run begins with: its weights, under an optimizer and a schedule of their
/// own. What the adapter's configuration says of method, layers and modules holds.
public struct StartAdapter: Sendable {
    /// The adapter's folder, which may be that of a finished run.
    public let folder: URL
    /// Its method with its hyper-parameters.
    public let method: any AdapterMethod

    /// - Throws: ``AdapterError``, ``TrainingError/badOption(name:reason:)`` for the folder of a whole
    ///   model, and the errors of the files.
    public init(_ folder: URL) throws {
        let manager = FileManager.default
        let isModel = manager.fileExists(
            atPath: folder.appendingPathComponent("model.safetensors").path)
        let isAdapter = manager.fileExists(
            atPath: folder.appendingPathComponent("adapter_config.json").path)
        guard isAdapter || !isModel else {
            throw TrainingError.badOption(
                name: Self.option,
                reason: "\(folder.relativePath) is a whole model; give it as `model`")
        }
        self.folder = folder
        method = try AdapterFolder(folder).method
    }

    static let option = "from-adapter"

    /// The method, with what a user says of it beside the adapter.
    /// - Parameters:
    ///   - name: of the method; nil where none is named. LoRA+ is one of LoRA's, for its files are LoRA's.
    ///   - options: of the method; what contradicts the adapter is an error.
    /// - Throws: ``TrainingError/badOption(name:reason:)`` that names the option, ``AdapterError``.
    public func method(
        named name: String?, _ options: MethodOptions = MethodOptions()
    ) throws -> any FineTuningMethod {
        let ownName = type(of: method).facts.name
        let isLoRAPlus = name == LoRAPlus.facts.name && method is LoRA
        guard name == nil || name == ownName || isLoRAPlus else {
            throw contradiction("method", "'\(name ?? "")'", ownName)
        }
        let given = try MethodRegistry.make(name ?? ownName, options).settings
        let own = method.settings
        for (option, _) in options.all {
            // One that says others' values in another way.
            if given[option] == nil, own[option] == nil { throw saidByAdapter(option) }
            guard given[option] != own[option] else { continue }
            guard let value = own[option] else {
                if isLoRAPlus { continue }
                throw contradiction(option, "it", "none")
            }
            throw contradiction(option, given[option] ?? "it", value)
        }
        guard isLoRAPlus, let lora = method as? LoRA,
            let plus = try MethodRegistry.make(name ?? ownName, options) as? LoRAPlus
        else { return method }
        return LoRAPlus(lora, rateRatio: plus.rateRatio)
    }

    /// Checks that a run is of the adapter's method.
    func check(_ run: FineTuningRun) throws {
        for (name, isGiven) in [
            ("targets", run.targets != nil), ("modules-to-save", !run.modulesToSave.isEmpty),
            ("add-tokens", !run.addedTokens.isEmpty),
        ] where isGiven {
            throw saidByAdapter(name)
        }
        let written: any FineTuningMethod = (run.method as? LoRAPlus)?.lora ?? run.method
        let (name, own) = (type(of: written).facts.name, type(of: method).facts.name)
        guard name == own else { throw contradiction("method", "'\(name)'", own) }
        // The scale goes with a rank, which is the one to name.
        let settings = method.settings.all
        let ordered = settings.filter { $0.name.hasSuffix("rank") } + settings
        for (option, value) in ordered where written.settings[option] != value {
            throw contradiction(option, written.settings[option] ?? "none", value)
        }
    }

    private func saidByAdapter(_ option: String) -> TrainingError {
        .badOption(
            name: option,
            reason: "the adapter in \(folder.relativePath), which the run begins with, says it")
    }

    private func contradiction(_ option: String, _ given: String, _ own: String) -> TrainingError {
        .badOption(
            name: option,
            reason: "\(given) contradicts the adapter in \(folder.relativePath), which has \(own)")
    }

    /// How many rows the model's embedding needs for the adapter.
    /// - Throws: ``AdapterError``.
    func vocabularySize(
        for model: any TransformerModel, _ tokenizer: Tokenizer
    ) throws -> Int {
        let count = Tokenizer.isIn(folder) ? tokenizer.tokenCount : nil
        return try AdapterFolder(folder).vocabularySize(for: model.slots, tokenizerCount: count)
            ?? model.vocabularySize
    }

    /// Puts the adapter on the run's model, to be trained on.
    /// - Throws: ``AdapterError``, ``TrainingError/badOption(name:reason:)`` for an adapter without the head
    ///   that a task needs.
    func trainee(
        on model: any TransformerModel, method: any FineTuningMethod
    ) throws -> Trainee {
        let set = try AdapterFolder(folder).attach(to: model.slots)
        let brought = set.savedParameters.map(\.parameter)
        let lacking = model.slots.savable.first { parameter in
            parameter.isCreated && !brought.contains { $0 === parameter }
        }
        if let lacking {
            throw TrainingError.badOption(
                name: Self.option,
                reason:
                    "the adapter in \(folder.relativePath) does not bring \(lacking.name), which the "
                    + "checkpoint lacks and the task needs; was it trained for another task?")
        }
        return try Trainee(model, continuing: set, method: method)
    }

    /// A digest of the adapter's files.
    func digest() throws -> String {
        var fingerprint = Fingerprint()
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            let file = folder.appendingPathComponent(name)
            do {
                fingerprint.add(try Data(contentsOf: file, options: .mappedIfSafe))
            } catch {
                throw RunError.unreadable(path: file.path, reason: OutputFolder.reason(error))
            }
        }
        return fingerprint.text
    }
}
