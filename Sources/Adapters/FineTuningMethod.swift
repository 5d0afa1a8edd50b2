import DualModules
import DualTorch

/// A way to fine-tune a model: its hyper-parameters, and what is known about it.
public protocol FineTuningMethod: Sendable {
    static var facts: MethodFacts { get }

    /// Checks the options and fills in the method's own defaults.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)``.
    init(_ options: MethodOptions) throws

    /// Trainable numbers for one layer of `outputSize` x `inputSize`.
    func parameterCount(outputSize: Int, inputSize: Int) -> Int

    /// Whether a step forms the loss's gradient at the whole of a layer's weight (out, in), the third
    /// of its products; without it, thin products reach what trains.
    static var formsWeightGradient: Bool { get }

    /// The peak learning rate that was seen to train encoders well.
    var defaultLearningRate: Double { get }
}

extension FineTuningMethod {
    public static var formsWeightGradient: Bool { true }
}

/// A method that leaves the model's weights alone and trains a change to some linear layers.
///
/// A new method is one file with a conforming type, and one line in ``MethodRegistry``.
public protocol AdapterMethod: FineTuningMethod {
    /// `peft_type` in `adapter_config.json`.
    static var peftType: String { get }
    /// The names of one layer's tensors, as ``LinearAdapter/parameters`` gives them.
    static var tensorNames: [String] { get }

    /// A fresh adapter for one layer; its numbers come from `generator` alone.
    func makeAdapter(for base: Linear, using generator: Generator) throws -> any LinearAdapter

    /// The hyper-parameters as `adapter_config.json` spells them.
    func fields(of adapters: [any LinearAdapter], seed: UInt64) -> [String: Any]

    /// Reads what ``fields(of:seed:)`` wrote, or what PEFT did.
    /// - Throws: ``ConfigurationError``, ``AdapterError`` for an option that is not supported.
    init(_ file: ConfigurationFile) throws
}

/// An adapter that changes with the steps of training, such as one whose update is faded in.
public protocol StepAwareAdapter: LinearAdapter {
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

/// What `duallora methods` says about a method.
public struct MethodFacts: Sendable {
    /// The command line's name.
    public let name: String
    public let title: String
    /// W' of an adapted layer.
    public let equation: String
    /// Trainable numbers for a d x k layer.
    public let parameterFormula: String
    /// Whether the change can be added to the weights for good.
    public let merges: Bool
    public let source: String
}

/// What a user may set of any method; each takes what is its own and refuses the rest.
public struct MethodOptions: Sendable {
    public var rank: Int?
    public var magnitudeRank: Int?
    public var directionRank: Int?
    public var alpha: Double?
    public var dropout: Double?
    public var gateSteps: Int?
    public var initialDeviation: Double?

    public init() {}

    /// Options that are set, by the command line's name.
    private var given: [String] {
        let all: [(String, Bool)] = [
            ("rank", rank != nil), ("magnitude-rank", magnitudeRank != nil),
            ("direction-rank", directionRank != nil), ("alpha", alpha != nil),
            ("dropout", dropout != nil), ("gate-steps", gateSteps != nil),
            ("init-std", initialDeviation != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    /// Refuses options that the method does not have.
    func allow(_ names: Set<String>, for facts: MethodFacts) throws {
        if let strange = given.first(where: { !names.contains($0) }) {
            throw AdapterError.badOption(
                method: facts.name, option: strange, reason: "this method has no such option")
        }
    }
}
