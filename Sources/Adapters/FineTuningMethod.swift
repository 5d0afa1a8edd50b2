import DualModules
import DualTorch

/// A way to fine-tune a model: its hyper-parameters, and what is known about it.
public protocol FineTuningMethod: Sendable {
    static var facts: MethodFacts { get }

    /// The method with its defaults.
    init()

    /// What a user may set, beside what every run has, in the order in which it is listed and read.
    static var hyperparameters: [Hyperparameter<Self>] { get }

    /// Sets what options say of several hyper-parameters together, after each has taken its own option.
    /// - Throws: ``GivenOptions/bad(_:_:)``.
    mutating func resolve(_ given: GivenOptions) throws

    /// Trainable numbers for one layer of `outputSize` x `inputSize`; of methods that change no linear
    /// layers, of one of their places in a model of `inputSize`.
    func parameterCount(outputSize: Int, inputSize: Int) -> Int

    /// The peak learning rate that was seen to train encoders well, of 23 to 110 million parameters; of an
    /// adapter 1e-3, unless its method says another.
    var defaultLearningRate: Double { get }

    /// The peak learning rate at which others train decoders of LLaMA's size, 7 to 70 billion parameters,
    /// and whose it is; nil where that is the default, or none is known.
    static var largeModelRate: (rate: Double, source: String)? { get }

    /// What the method trains; ``AdapterMethod`` and ``WeightTrainingMethod`` say it.
    var kind: MethodKind { get }
}

extension FineTuningMethod {
    public static var hyperparameters: [Hyperparameter<Self>] { [] }
    public static var largeModelRate: (rate: Double, source: String)? { nil }
    public mutating func resolve(_ given: GivenOptions) throws {}
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

    public init(
        name: String, title: String, equation: String, parameterFormula: String, merges: Bool,
        source: String
    ) {
        self.name = name
        self.title = title
        self.equation = equation
        self.parameterFormula = parameterFormula
        self.merges = merges
        self.source = source
    }
}
