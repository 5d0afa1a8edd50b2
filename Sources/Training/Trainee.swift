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
    /// nil where the model's own weights train.
    public let adapter: AdapterSet?
    public let trainables: [Trainable]
    /// Whether the adapter was trained before.
    public let startsTrained: Bool
    /// How the gradients of some weights are projected, and the names of those weights.
    let projection: GradientProjection?
    let projectedWeights: Set<String>
    /// Whether vectors of an adapter decay that are neither biases nor norms. In runs of versions that wrote
    /// no word on it they do not.
    package var decaysVectors = true
    /// Tensors of the adapter that have had a gradient other than zero.
    private var reached: Set<String> = []

    /// Sets up `method` on a model: freezes what does not train, makes the adapters.
    /// - Parameters:
    ///   - targets: nil for the architecture's default layers; refused by methods without targets.
    ///   - modulesToSave: names of modules of the model that train whole beside an adapter, as PEFT's
    ///     `modules_to_save`.
    ///   - tokens: numbers of tokens whose rows of the embedding, and of the head, train beside an adapter,
    ///     where these do not train whole.
    ///   - generator: draws the adapters' start.
    /// - Throws: ``AdapterError``, ``TrainingError``.
    public init(
        _ model: any TransformerModel, method: any FineTuningMethod, targets: TargetSelection?,
        modulesToSave: [String] = [], tokens: [Int] = [], using generator: Generator
    ) throws {
        self.model = model
        self.method = method
        // The head of a task starts from nothing; that of a language model is part of the model.
        let task = (model as? any SequenceModel)?.head?.path
        let isHead = { (name: String) in task.map { name.hasPrefix($0 + ".") } ?? false }
        switch method.kind {
        case .weightTraining(let method):
            adapter = nil
            trainables = try Self.weights(of: model, method, isHead: isHead)
            projection = method.gradientProjection
            guard targets == nil || projection != nil, modulesToSave.isEmpty else {
                throw TrainingError.badOption(
                    name: modulesToSave.isEmpty ? "targets" : "modules-to-save",
                    reason: "\(type(of: method).facts.name) trains the model's own weights")
            }
            projectedWeights =
                try projection.map { _ in
                    Set(try (targets ?? .allLinear).layers(of: model.slots).map(\.weight.name))
                } ?? []
        case .adapter(let method):
            let adapter = try Self.adapter(
                of: model, method, targets, modulesToSave, tokens: tokens, isHead: isHead,
                using: generator)
            self.adapter = adapter
            (projection, projectedWeights) = (nil, [])
            trainables = Self.trainables(of: adapter, isHead: isHead)
        }
        startsTrained = false
        for trainable in trainables { try trainable.tensor.requireGradient() }
    }

    /// Trains an adapter on that is in its model's slots already, with what it brings of the model.
    /// - Parameter method: the adapter's own, or one that trains as it and writes the same.
    public init(
        _ model: any TransformerModel, continuing adapter: AdapterSet,
        method: any FineTuningMethod
    ) throws {
        self.model = model
        self.method = method
        self.adapter = adapter
        let head = (model as? any SequenceModel)?.head?.path
        trainables = Self.trainables(of: adapter) { name in
            head.map { name.hasPrefix($0 + ".") } ?? false
        }
        (projection, projectedWeights, startsTrained) = (nil, [], true)
        for trainable in trainables { try trainable.tensor.requireGradient() }
    }

    private static func trainables(
        of adapter: AdapterSet, isHead: (String) -> Bool
    ) -> [Trainable] {
        adapter.parameters.map { Trainable(name: $0.name, tensor: $0.value, role: .adapter) }
            + adapter.tokenRows.map { Trainable(name: $0.name, tensor: $0.value, role: .weight) }
            + adapter.savedParameters.map {
                let isNew = isHead($0.name) || $0.parameter.isCreated
                return Trainable(name: $0.name, tensor: $0.value, role: isNew ? .head : .weight)
            }
    }

    /// A fresh adapter in the model's slots, and beside it what trains whole: the head, weights that the
    /// checkpoint did not have, the modules that a user names.
    private static func adapter(
        of model: any TransformerModel, _ method: any AdapterMethod, _ targets: TargetSelection?,
        _ modulesToSave: [String], tokens: [Int], isHead: (String) -> Bool,
        using generator: Generator
    ) throws -> AdapterSet {
        guard targets == nil || method is any LinearAdapterMethod else {
            throw TrainingError.badOption(
                name: "targets",
                reason: "\(type(of: method).facts.name) changes no linear layers")
        }
        let named = try parameters(of: model, modulesToSave)
        let saved = model.slots.savable.filter { parameter in
            isHead(parameter.name) || parameter.isCreated || named.contains { $0 === parameter }
        }
        return try AdapterSet(
            method, targets: targets ?? .standard, of: model.slots, savedParameters: saved,
            tokens: tokens, using: generator)
    }

    /// The model's own weights that a method trains.
    private static func weights(
        of model: any TransformerModel, _ method: any WeightTrainingMethod,
        isHead: (String) -> Bool
    ) throws -> [Trainable] {
        guard model.parameters.contains(where: { method.trains(weight: $0.name) }) else {
            throw TrainingError.badOption(
                name: "train", reason: "it names no weight of this model")
        }
        return try model.parameters.filter {
            isHead($0.name) || $0.isCreated || method.trains(weight: $0.name)
        }.map {
            if let format = $0.stored.blockFormat ?? $0.widenedFrom {
                throw TrainingError.quantized(
                    method: type(of: method).facts.name, weight: $0.name, format: format.rawValue)
            }
            return try Trainable(
                name: $0.name, tensor: $0.value, role: isHead($0.name) ? .head : .weight)
        }
    }

    /// The parameters of the modules that a user names.
    private static func parameters(
        of model: any TransformerModel, _ modules: [String]
    ) throws -> [Parameter] {
        try modules.flatMap { name in
            let parameters = model.slots.savable.filter { parameter in
                let words = parameter.name.split(separator: ".").dropLast()
                return words.indices.contains { end in
                    let path = words[...end].joined(separator: ".")
                    return path == name || path.hasSuffix("." + name)
                }
            }
            guard !parameters.isEmpty else { throw AdapterError.noSuchModule(name: name) }
            return parameters
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
            + (tied?.isApart == true ? tied?.own.stored.count ?? 0 : 0)
        return model.parameters.reduce(own) { $0 + $1.stored.count }
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
