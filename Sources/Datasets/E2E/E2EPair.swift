/// One line of the E2E challenge's data: a meaning, and a text that a person wrote for it.
public struct E2EPair: Equatable, Sendable {
    public let meaning: MeaningRepresentation
    public let text: String
}
