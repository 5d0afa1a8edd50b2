import DualModules
import DualTorch

/// A method that leaves the model's weights alone and trains tensors of its own beside them.
///
/// A new method is one file with a conforming type, and one line in ``MethodRegistry``.
public protocol AdapterMethod: FineTuningMethod {
    /// `peft_type` in `adapter_config.json`.
    static var peftType: String { get }

    /// The same of files that others write and the method reads too.
    static var foreignPeftTypes: [String] { get }

    /// The prefix of the tensors' names in a file, which the path of a layer or block follows.
    static var keyPrefix: String { get }

    /// Whether a saved adapter of this ``peftType`` is one of this method.
    static func reads(_ file: ConfigurationFile) -> Bool

    /// Whether a tensor of a file says again what another says.
    static func isRepeated(_ key: String) -> Bool

    /// Names that a tensor may have in a file, that which is written first.
    static func spellings(of tensor: String) -> [String]

    /// The tensor of a file that this one must be equal to, if there is one.
    static func twin(of key: String) -> String?

    /// Whether the configuration has a field for layers that are left out.
    static var hasExclusion: Bool { get }

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

    /// First sizes of a place's tensors, by their names, that the configuration gives and not the model: a
    /// file in which they are others is refused before anything of such a size is made.
    /// - Parameters:
    ///   - path: of a layer or a block; empty for the one part of a whole model.
    ///   - outputSize, inputSize: of the layer; both the hidden size of a block.
    func firstSizes(at path: String, outputSize: Int, inputSize: Int) throws -> [String: Int]

    /// The factor of the peak learning rate for one of the tensors that train.
    /// - Parameters:
    ///   - tensor: its full name.
    ///   - dimensions: how many it has.
    func learningRateFactor(of tensor: String, dimensions: Int) -> Double

    /// The method as the tensors of a file show it, where its configuration may say something else.
    func fitted(to weights: SafetensorsFile) -> Self
}

extension AdapterMethod {
    public var kind: MethodKind { .adapter(self) }
    public func learningRateFactor(of tensor: String, dimensions: Int) -> Double { 1 }
    public static var keyPrefix: String { "base_model.model." }
    public static func reads(_ file: ConfigurationFile) -> Bool { true }
    public static var foreignPeftTypes: [String] { [] }
    public static var hasExclusion: Bool { true }
    public static func isRepeated(_ key: String) -> Bool { false }
    public static func spellings(of tensor: String) -> [String] { [tensor] }
    public var standardTargets: TargetSelection.Rule { .standard }
    public static func twin(of key: String) -> String? { nil }
    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        [:]
    }

    public func fitted(to weights: SafetensorsFile) -> Self { self }
    public var trainedBiases: TrainedBiases { .none }

    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        try makeParts(for: slots, targets: targets, using: Generator(seed: 0))
    }
}
