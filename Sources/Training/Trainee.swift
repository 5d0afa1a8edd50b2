import DualAdapters
import DualModels
import DualModules
import DualTorch
import Foundation

/// A model together with what of it trains, by a method.
public final class Trainee {
    /// One tensor that trains.
    public struct Trainable {
        public let name: String
        public let tensor: Tensor
        public let role: Role
    }

    public enum Role: Sendable { case adapter, weight, head }

    public let model: any TransformerModel
    public let method: any FineTuningMethod
    /// nil for full fine-tuning.
    public let adapter: AdapterSet?
    public let trainables: [Trainable]
    /// Tensors of the adapter that have had a gradient other than zero.
    private var reached: Set<String> = []

    /// Sets up `method` on a model: freezes what does not train, makes the adapters.
    /// - Parameters:
    ///   - targets: nil for the architecture's default layers; refused by methods without targets.
    ///   - generator: draws the adapters' start.
    /// - Throws: ``AdapterError``, ``TrainingError``.
    public init(
        _ model: any TransformerModel, method: any FineTuningMethod, targets: TargetSelection?,
        using generator: Generator
    ) throws {
        self.model = model
        self.method = method
        // The head of a task starts from nothing; that of a language model is part of the model.
        let task = (model as? any SequenceModel)?.head?.path
        let isHead = { (name: String) in task.map { name.hasPrefix($0 + ".") } ?? false }
        guard let adapterMethod = method as? any AdapterMethod else {
            guard targets == nil else {
                throw TrainingError.badOption(
                    name: "targets", reason: "\(type(of: method).facts.name) trains every layer")
            }
            adapter = nil
            trainables = model.parameters.map {
                Trainable(
                    name: $0.name, tensor: $0.value, role: isHead($0.name) ? .head : .weight)
            }
            for trainable in trainables { try trainable.tensor.requireGradient() }
            return
        }
        let saved = model.parameters.filter { isHead($0.name) || $0.isCreated }
        for parameter in saved { parameter.value = try parameter.value.to(.float32) }
        let adapter = try AdapterSet(
            adapterMethod, targets: targets ?? .names(model.defaultTargets), of: model.linears,
            savedParameters: saved, using: generator)
        self.adapter = adapter
        trainables =
            adapter.parameters.map { Trainable(name: $0.name, tensor: $0.value, role: .adapter) }
            + saved.map { Trainable(name: $0.name, tensor: $0.value, role: .head) }
        for trainable in trainables { try trainable.tensor.requireGradient() }
    }

    /// Numbers that train.
    public var trainableCount: Int { trainables.reduce(0) { $0 + $1.tensor.count } }

    /// Numbers that train but for the head.
    public var methodCount: Int {
        trainables.filter { $0.role != .head }.reduce(0) { $0 + $1.tensor.count }
    }

    /// All numbers of the model, and the adapter's.
    public var totalCount: Int {
        model.parameters.reduce(adapter?.parameterCount ?? 0) { $0 + $1.value.count }
    }

    /// Groups for the optimizer, with the names of their tensors. Biases and norms do not decay.
    func optimizerGroups(
        _ options: TrainingOptions
    ) -> [(names: [String], group: AdamW.Group)] {
        let rate = options.learningRate ?? method.defaultLearningRate
        let keys = [(false, true), (false, false), (true, true), (true, false)]
        return keys.compactMap { head, decays in
            let members = trainables.filter {
                ($0.role == .head) == head && ($0.tensor.rank > 1) == decays
            }
            guard !members.isEmpty else { return nil }
            let group = AdamW.Group(
                tensors: members.map(\.tensor),
                learningRate: head ? options.headLearningRate : rate,
                weightDecay: decays ? options.weightDecay : 0)
            return (members.map(\.name), group)
        }
    }

    /// Checks after the backward of the early steps that what should train does: the graph reaches every
    /// tensor of the adapter, and within a few steps each has had a gradient other than zero. Not in
    /// every step: a method may start at rest, and in a batch of two-token sequences no query matters.
    /// - Throws: ``AdapterError/noGradient(tensor:steps:)``.
    func checkGradients(step: Int) throws {
        guard adapter != nil, step <= Self.lastCheckedStep else { return }
        for trainable in trainables where trainable.role == .adapter {
            guard let gradient = try trainable.tensor.gradient() else {
                throw AdapterError.noGradient(tensor: trainable.name, steps: step + 1)
            }
            if !reached.contains(trainable.name), try gradient.norm().item() != 0 {
                reached.insert(trainable.name)
            }
            if step == Self.lastCheckedStep, !reached.contains(trainable.name) {
                throw AdapterError.noGradient(tensor: trainable.name, steps: step + 1)
            }
        }
    }

    private static let lastCheckedStep = 4
}
