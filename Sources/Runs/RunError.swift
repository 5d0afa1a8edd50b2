/// A folder or file of a run that cannot be used.
public enum RunError: Error, Equatable, CustomStringConvertible {
    case unwritable(path: String, reason: String)
    case unreadable(path: String, reason: String)
    case nothingToResume(folder: String)
    case otherRun(checkpoint: String, difference: String)
    case ownFolder(path: String, of: String)
    case badCheckpoint(path: String, reason: String)

    public var description: String {
        switch self {
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .nothingToResume(let folder): "\(folder) has no checkpoint to resume from"
        case .otherRun(let checkpoint, let difference):
            "\(checkpoint) is of a run \(difference)"
        case .ownFolder(let path, let owner):
            "\(path) is the folder of \(owner), whose files the run would replace; give `output` "
                + "another"
        case .badCheckpoint(let path, let reason): "\(path): \(reason)"
        }
    }
}
