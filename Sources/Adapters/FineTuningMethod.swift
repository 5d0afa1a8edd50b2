import DualModules
import DualTorch

/// A way to fine-tune a model: its hyper-parameters, and what is known about it.
public protocol FineTuningMethod: Sendable {
    static var facts: MethodFacts { get }

    /// What a user may set, beside what every run has.
    static var options: [MethodOption] { get }

    /// Checks the options and fills in the method's own defaults.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)``.
    init(_ options: MethodOptions) throws

    /// Trainable numbers for one layer of `outputSize` x `inputSize`; of methods that change no linear
    /// layers, of one of their places in a model of `inputSize`.
    func parameterCount(outputSize: Int, inputSize: Int) -> Int

    /// The products of T·d·k that a training step makes of one adapted layer, its two thin ones and
    /// element-wise work not counted: output and gradient at the input, and for many the gradient at the
    /// weight.
    static var stepProducts: Int { get }

    /// The peak learning rate that was seen to train encoders well.
    var defaultLearningRate: Double { get }

    /// What the peak learning rate is multiplied by for one of the tensors that train.
    func learningRateFactor(of tensor: String) -> Double

    /// Whether one of the model's own weights trains; asked only by methods that train some.
    func trains(weight name: String) -> Bool

    /// Tokens that it puts before each sequence, where they take positions of the model.
    var virtualTokens: Int { get }

    /// How the gradients of the target layers' weights are projected before the optimizer sees them;
    /// nil for not at all.
    var gradientProjection: GradientProjection? { get }
}

extension FineTuningMethod {
    public static var options: [MethodOption] { [] }
    public static var stepProducts: Int { 3 }
    public func learningRateFactor(of tensor: String) -> Double { 1 }
    public func trains(weight name: String) -> Bool { true }
    public var virtualTokens: Int { 0 }
    public var gradientProjection: GradientProjection? { nil }
}

/// What `duallora methods` says about a method.
public struct MethodFacts: Sendable {
    /// The command line's name.
    public let name: String
    public let title: String
    /// W' of an adapted layer, or what else is changed.
    public let equation: String
    /// Trainable numbers for a d x k layer.
    public let parameterFormula: String
    /// Whether the change can be added to the weights for good.
    public let merges: Bool
    public let source: String
}

/// A method that leaves the model's weights alone and trains tensors of its own beside them.
///
/// A new method is one file with a conforming type, and one line in ``MethodRegistry``.
public protocol AdapterMethod: FineTuningMethod {
    /// `peft_type` in `adapter_config.json`.
    static var peftType: String { get }

    /// The same of files that others write and the method reads too.
    static var foreignPeftTypes: [String] { get }

    /// What stands in a file before the names of the model's own tensors.
    static var keyPrefix: String { get }

    /// Whether a saved adapter of this ``peftType`` is one of this method.
    static func reads(_ file: ConfigurationFile) -> Bool

    /// Whether a tensor of a file says again what another says.
    static func isRepeated(_ key: String) -> Bool

    /// Names that a tensor may have in a file, that which is written first.
    static func spellings(of tensor: String) -> [String]
    /// The tensor of a file that this one must be equal to, if there is one.
    static func twin(of key: String) -> String?

    /// Fresh parts for a model, not yet in its slots.
    /// - Parameters:
    ///   - targets: for methods that choose among linear layers.
    ///   - generator: decides every random number, in the order of the slots.
    func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts

    /// Parts that take the tensors of a file, where that has another form than what trains.
    func makeSavedParts(for slots: AdapterSlots, targets: TargetSelection) throws -> AdapterParts

    /// The linear layers that it changes when nothing is said.
    var standardTargets: TargetSelection.Rule { get }

    /// Which biases of the model train along and are saved.
    var trainedBiases: TrainedBiases { get }

    /// The hyper-parameters as `adapter_config.json` spells them.
    func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any]

    /// Reads what ``fields(of:seed:)`` wrote, or what PEFT did.
    /// - Throws: ``ConfigurationError``, ``AdapterError`` for an option that is not supported.
    init(_ file: ConfigurationFile) throws

    /// The method as the tensors of a file show it, where its configuration may say something else.
    func fitted(to weights: SafetensorsFile) -> Self
}

extension AdapterMethod {
    public static var keyPrefix: String { "base_model.model." }
    public static func reads(_ file: ConfigurationFile) -> Bool { true }
    public static var foreignPeftTypes: [String] { [] }
    public static func isRepeated(_ key: String) -> Bool { false }
    public static func spellings(of tensor: String) -> [String] { [tensor] }
    public var standardTargets: TargetSelection.Rule { .standard }
    public static func twin(of key: String) -> String? { nil }
    public func fitted(to weights: SafetensorsFile) -> Self { self }
    public var trainedBiases: TrainedBiases { .none }

    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        try makeParts(for: slots, targets: targets, using: Generator(seed: 0))
    }
}

/// A method that changes linear layers, each by an adapter of its own.
public protocol LinearAdapterMethod: AdapterMethod {
    /// A fresh adapter for one layer; its numbers come from `generator` alone.
    func makeAdapter(for base: Linear, using generator: Generator) throws -> any LinearAdapter

    /// Adapters for all layers, for methods whose layers share something.
    func makeAdapters(for layers: [Linear], using generator: Generator) throws -> AdapterParts
}

extension LinearAdapterMethod {
    public func makeAdapters(
        for layers: [Linear], using generator: Generator
    ) throws -> AdapterParts {
        AdapterParts(
            try layers.map { PlacedPart(.linear($0), try makeAdapter(for: $0, using: generator)) })
    }

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        try makeAdapters(
            for: targets.standing(for: standardTargets).layers(of: slots), using: generator)
    }
}

/// A method that may start from a text.
public protocol TextInitialized: FineTuningMethod {
    /// The text; nil where it starts from something else.
    var initialText: String? { get }

    /// Takes the text's tokens, with the special ones that the tokenizer puts around them.
    /// - Parameter tokenizer: the tokenizer's folder or name.
    mutating func start(from tokens: [Int], tokenizer: String)
}

/// A method that changes what the blocks of a model hand on.
public protocol BlockAdapterMethod: AdapterMethod {
    func makeAdapter(for block: BlockEnd, using generator: Generator) throws -> any BlockAdapter

    /// The blocks by number that it changes; nil for all.
    var blocks: [Int]? { get }
}

extension BlockAdapterMethod {
    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        try makeBlockParts(for: slots, targets: targets, using: generator)
    }

    /// A part at the end of every block that is chosen.
    func makeBlockParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        guard targets == .standard else {
            throw AdapterError.badOption(
                method: Self.facts.name, option: "targets",
                reason: "this method changes whole blocks, not their linear layers")
        }
        let chosen = blocks ?? Array(slots.blocks.indices)
        return AdapterParts(
            try chosen.map { index in
                guard slots.blocks.indices.contains(index) else {
                    throw AdapterError.noSuchBlock(index, count: slots.blocks.count)
                }
                let block = slots.blocks[index]
                return PlacedPart(.block(block), try makeAdapter(for: block, using: generator))
            })
    }
}

/// An adapter that changes with the steps of training, such as one whose update is faded in.
public protocol StepAwareAdapter: AdapterPart {
    /// Called before every step, and once more after the last.
    func prepare(_ progress: TrainingProgress)
}

/// Where a run stands.
public struct TrainingProgress: Sendable {
    /// Optimizer steps done.
    public let step: Int
    public let totalSteps: Int
    /// Steps in which the learning rate rises.
    public let warmupSteps: Int

    public init(step: Int, totalSteps: Int, warmupSteps: Int) {
        self.step = step
        self.totalSteps = totalSteps
        self.warmupSteps = warmupSteps
    }
}
