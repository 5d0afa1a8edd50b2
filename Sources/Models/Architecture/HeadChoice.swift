/// The head that an encoder gets.
public enum HeadChoice: Equatable, Sendable {
    case none
    /// The checkpoint's, with so many outputs.
    case stored(labels: Int)
    /// A new one, drawn at random.
    case created(labels: Int)
}
