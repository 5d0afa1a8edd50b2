import Foundation

/// A folder with a model, a tokenizer or an adapter.
public struct ModelPlace: Equatable, Sendable {
    /// The folder; it may be missing where the name was that of no repository.
    public let url: URL
    /// The repository that its files are of; nil for a folder of the user's own.
    public let reference: RepositoryReference?
}
