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
    /// Names of the weights whose gradients the method projects.
    let projected: Set<String>
    /// Tensors of the adapter that have had a gradient other than zero.
    private var reached: Set<String> = []

    /// Sets up `method` on a model: freezes what does not train, makes the adapters.
    /// - Parameters:
    ///   - targets: nil for the architecture's default layers; refused by methods without targets.
    ///   - modulesToSave: names of modules of the model that train whole beside an adapter, as PEFT's
    ///     `modules_to_save`.
    ///   - generator: draws the adapters' start.
    /// - Throws: ``AdapterError``, ``TrainingError``.
    public init(
        _ model: any TransformerModel, method: any FineTuningMethod, targets: TargetSelection?,
        modulesToSave: [String] = [], using generator: Generator
    ) throws {
        self.model = model
        self.method = method
        // The head of a task starts from nothing; that of a language model is part of the model.
        let task = (model as? any SequenceModel)?.head?.path
        let isHead = { (name: String) in task.map { name.hasPrefix($0 + ".") } ?? false }
        guard let adapterMethod = method as? any AdapterMethod else {
            (adapter, trainables) = (nil, try Self.weights(of: model, method, isHead: isHead))
            guard targets == nil || method.gradientProjection != nil, modulesToSave.isEmpty else {
                throw TrainingError.badOption(
                    name: modulesToSave.isEmpty ? "targets" : "modules-to-save",
                    reason: "\(type(of: method).facts.name) trains the model's own weights")
            }
            projected =
                try method.gradientProjection.map { _ in
                    Set(try (targets ?? .allLinear).layers(of: model.slots).map(\.weight.name))
                } ?? []
            for trainable in trainables { try trainable.tensor.requireGradient() }
            return
        }
        guard targets == nil || adapterMethod is any LinearAdapterMethod else {
            throw TrainingError.badOption(
                name: "targets",
                reason: "\(type(of: method).facts.name) changes no linear layers")
        }
        let named = try Self.parameters(of: model, modulesToSave)
        let saved = model.slots.savable.filter { parameter in
            isHead(parameter.name) || parameter.isCreated
                || named.contains { $0 === parameter }
        }
        let adapter = try AdapterSet(
            adapterMethod, targets: targets ?? .standard, of: model.slots, savedParameters: saved,
            using: generator)
        self.adapter = adapter
        projected = []
        trainables =
            adapter.parameters.map { Trainable(name: $0.name, tensor: $0.value, role: .adapter) }
            + adapter.savedParameters.map {
                let isNew = isHead($0.name) || $0.parameter.isCreated
                return Trainable(name: $0.name, tensor: $0.value, role: isNew ? .head : .weight)
            }
        for trainable in trainables { try trainable.tensor.requireGradient() }
    }

    /// What of the model's own weights a method trains.
    private static func weights(
        of model: any TransformerModel, _ method: any FineTuningMethod, isHead: (String) -> Bool
    ) throws -> [Trainable] {
        let chosen = model.parameters.filter {
            isHead($0.name) || $0.isCreated || method.trains(weight: $0.name)
        }
        guard model.parameters.contains(where: { method.trains(weight: $0.name) }) else {
            throw TrainingError.badOption(
                name: "train", reason: "it names no weight of this model")
        }
        return chosen.map {
            Trainable(name: $0.name, tensor: $0.value, role: isHead($0.name) ? .head : .weight)
        }
    }

    /// The parameters of the modules that a user names.
    private static func parameters(
        of model: any TransformerModel, _ modules: [String]
    ) throws -> [Parameter] {
        try modules.flatMap { name in
            let found = model.slots.savable.filter { parameter in
                let words = parameter.name.split(separator: ".").dropLast()
                return words.indices.contains { end in
                    let path = words[...end].joined(separator: ".")
                    return path == name || path.hasSuffix("." + name)
                }
            }
            guard !found.isEmpty else { throw AdapterError.noSuchModule(name: name) }
            return found
        }
    }

    /// Numbers that train.
    public var trainableCount: Int { trainables.reduce(0) { $0 + $1.tensor.count } }

    /// Numbers that train but for the head.
    public var methodCount: Int {
        trainables.filter { $0.role != .head }.reduce(0) { $0 + $1.tensor.count }
    }

    /// All numbers of the model, and the adapter's.
    public var totalCount: Int {
        let tied = model.slots.tiedHead
        let own =
            (adapter?.parameterCount ?? 0)
            + (tied?.isApart == true ? tied?.own.value.count ?? 0 : 0)
        return model.parameters.reduce(own) { $0 + $1.value.count }
    }

    /// What moves the tensors that train; weights whose gradients are projected have their own.
    package func makeOptimizers(_ options: TrainingOptions) throws -> [any Optimizer] {
        let plain = try AdamW(
            optimizerGroups(options), betas: options.adamBetas,
            epsilon: options.adamEpsilon ?? AdamW.standardEpsilon)
        guard let projection = method.gradientProjection else { return [plain] }
        let groups = optimizerGroups(options, projected: true)
        let projecting = try ProjectedAdam(
            groups, projection, seed: options.seed, betas: options.adamBetas,
            epsilon: options.adamEpsilon ?? ProjectedAdam.standardEpsilon)
        return [plain, projecting]
    }

    /// Groups for an optimizer, of the tensors whose gradients are projected or of the others.
    /// Biases and norms do not decay.
    func optimizerGroups(
        _ options: TrainingOptions, projected isProjected: Bool = false
    ) -> [AdamW.Group] {
        let rate = options.learningRate ?? method.defaultLearningRate
        struct Key: Hashable {
            let rate: Double
            let decays: Bool
        }
        var order: [Key] = []
        var groups: [Key: [Trainable]] = [:]
        for trainable in trainables where projected.contains(trainable.name) == isProjected {
            let own =
                trainable.role == .head
                ? options.headLearningRate
                : rate
                    * method.learningRateFactor(
                        of: trainable.name, dimensions: trainable.tensor.rank)
            let key = Key(rate: own, decays: trainable.tensor.rank > 1)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(trainable)
        }
        return order.map { key in
            let members = groups[key] ?? []
            return AdamW.Group(
                tensors: members.map(\.tensor), names: members.map(\.name),
                learningRate: key.rate, weightDecay: key.decays ? options.weightDecay : 0)
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
