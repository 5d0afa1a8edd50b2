import DualModules
import DualTorch

/// A method that leaves the model's weights alone and trains tensors of its own beside them.
///
/// A method of this package is one file with a conforming type, and one line in ``MethodRegistry``; one
/// of a client's is told by ``MethodRegistry/register(_:)``.
public protocol AdapterMethod: FineTuningMethod {
    /// What a saved adapter looks like.
    static var format: AdapterFormat { get }

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

    /// Adds to the fields of `adapter_config.json` what no hyper-parameter says.
    /// - Parameters:
    ///   - fields: those of the hyper-parameters and of the format.
    ///   - parts: that are saved, in the model's order.
    ///   - seed: what the adapter's start was drawn from.
    func complete(_ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64)

    /// Reads what no hyper-parameter says, after all of them were read.
    /// - Throws: `ConfigurationError`, ``AdapterError`` for what is not supported.
    mutating func complete(from file: ConfigurationFile) throws

    /// First sizes of a place's tensors, by their names, that the configuration gives and not the model: a
    /// file in which they are others is refused before anything of such a size is made. By default what
    /// the hyper-parameters say by ``Hyperparameter/firstSize(of:by:)``.
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
    public var defaultLearningRate: Double { 1e-3 }
    public func learningRateFactor(of tensor: String, dimensions: Int) -> Double { 1 }
    public var standardTargets: TargetSelection.Rule { .standard }
    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {}
    public mutating func complete(from file: ConfigurationFile) throws {}
    /// Refuses patterns of layers' paths that match none of the layers which are adapted.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)``.
    func checkPatterns(_ parts: AdapterParts) throws {
        guard let (row, key) = try unmatchedPatterns(of: parts).first else { return }
        throw AdapterError.badOption(
            method: Self.facts.name, option: row,
            reason: "'\(key)' matches none of the adapted layers, such as "
                + (parts.placed.compactMap(\.targetPath).first ?? "those of another method"))
    }

    /// Patterns of layers' paths that match none of the layers which are adapted, by their option or field.
    func unmatchedPatterns(of parts: AdapterParts) throws -> [(row: String, pattern: String)] {
        let paths = parts.placed.compactMap(\.targetPath)
        return try Self.hyperparameters.flatMap { row in
            try row.unmatched(self, paths).map { (row.option?.name ?? row.key ?? "", $0) }
        }
    }

    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        try Self.hyperparameters.reduce(into: [:]) { sizes, row in
            sizes.merge(try row.firstSizes(self, path)) { $1 }
        }
    }

    public func fitted(to weights: SafetensorsFile) -> Self { self }
    public var trainedBiases: TrainedBiases { .none }

    public func makeSavedParts(
        for slots: AdapterSlots, targets: TargetSelection
    ) throws -> AdapterParts {
        try makeParts(for: slots, targets: targets, using: Generator(seed: 0))
    }
}
