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

    /// Every option with the value that it has, the method's own defaults among them, so far as they do
    /// not wait for the model: what makes the same method again.
    var settings: MethodOptions { get }

    /// Trainable numbers for one layer of `outputSize` x `inputSize`; of methods that change no linear
    /// layers, of one of their places in a model of `inputSize`.
    func parameterCount(outputSize: Int, inputSize: Int) -> Int

    /// The peak learning rate that was seen to train encoders well.
    var defaultLearningRate: Double { get }

    /// What the method trains; ``AdapterMethod`` and ``WeightTrainingMethod`` say it.
    var kind: MethodKind { get }
}

extension FineTuningMethod {
    public static var options: [MethodOption] { [] }
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
