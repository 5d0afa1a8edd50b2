/// A name or a revision of a repository that cannot be one.
public enum ReferenceError: Error, Equatable, CustomStringConvertible {
    case badRevision(String)
    case twoRevisions(String, String)
    case revisionOfFolder(path: String, revision: String)

    public var description: String {
        switch self {
        case .badRevision(let text):
            "'\(text)' is no revision: it must be a branch, a tag or a commit"
        case .twoRevisions(let first, let second):
            "the revision is given twice: @\(first) and `revision` \(second)"
        case .revisionOfFolder(let path, let revision):
            "`revision` \(revision): \(path) is no repository of the hub (org/name), and only those "
                + "have revisions"
        }
    }
}
