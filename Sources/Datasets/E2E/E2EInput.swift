/// A meaning with all texts that people wrote for it.
public struct E2EInput: Equatable, Sendable {
    public let meaning: MeaningRepresentation
    public var references: [String]
}
