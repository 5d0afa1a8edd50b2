/// What ``ModelHub`` tells while it gets a repository.
public enum HubEvent: Equatable, Sendable {
    /// What the user should know, in a sentence.
    case note(String)
    /// A download begins: of how many files, and their bytes, those counted that are there already.
    case started(repository: String, files: Int, bytes: Int)
    /// Bytes that are there, of all files, while this one comes.
    case progress(file: String, bytes: Int)
    /// Everything is in the cache.
    case finished(repository: String, bytes: Int)
}
