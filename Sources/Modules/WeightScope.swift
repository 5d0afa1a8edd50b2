import DualTorch

/// A path in the tree of a model's weights, by which modules ask for their weights.
public struct WeightScope {
    /// Whether weights below may be made when the checkpoint lacks them.
    public enum Creation: Sendable { case never, whenMissing, always }

    let source: WeightSource
    public let path: String
    let creation: Creation

    init(source: WeightSource, path: String, creation: Creation = .never) {
        self.source = source
        self.path = path
        self.creation = creation
    }

    public static func / (scope: WeightScope, name: String) -> WeightScope {
        WeightScope(source: scope.source, path: scope.full(name), creation: scope.creation)
    }

    public static func / (scope: WeightScope, index: Int) -> WeightScope { scope / String(index) }

    /// The same scope, where weights are made instead of refused.
    public func creating(_ creation: Creation) -> WeightScope {
        WeightScope(source: source, path: path, creation: creation)
    }

    /// Whether the checkpoint has this parameter.
    public func contains(_ name: String) -> Bool { source.contains(full(name)) }

    /// A parameter of the checkpoint, or a new one where the source draws it.
    /// - Parameter isQuantizable: whether the source may quantise it, if it does so at all.
    public func parameter(
        _ name: String, shape: [Int], initial: Initialization,
        storage: Parameter.Storage = .asIs, isQuantizable: Bool = false
    ) throws -> Parameter {
        try source.parameter(
            full(name), shape: shape, initial: initial, in: creation, storage: storage,
            isQuantizable: isQuantizable && creation == .never)
    }

    private func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
