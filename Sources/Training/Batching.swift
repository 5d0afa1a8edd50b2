/// How examples come together in a batch.
public enum Batching: Equatable, Sendable {
    /// So many examples of like length, padded to one.
    case padded
    /// One behind the other without padding, up to so many tokens for each that a padded batch has.
    case packed(rowLength: Int)
}
