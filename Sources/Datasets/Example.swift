/// One row of a task: a sentence or a pair of them, and what a model should say about it.
public struct Example: Equatable, Sendable {
    public var text: String
    /// The second sentence, for a task about pairs.
    public var pair: String?
    public var label: Label

    public init(text: String, pair: String? = nil, label: Label) {
        self.text = text
        self.pair = pair
        self.label = label
    }
}
