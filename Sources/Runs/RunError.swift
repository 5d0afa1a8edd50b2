/// A folder or file of a run that cannot be used.
public enum RunError: Error, Equatable, CustomStringConvertible {
    case unwritable(path: String, reason: String)
    case unreadable(path: String, reason: String)
    case nothingToResume(folder: String)
    case otherRun(checkpoint: String, difference: String)
    case ownFolder(path: String, of: String)
    case badCheckpoint(path: String, reason: String)
    /// The output folder has a run in it, or files of the names that a run writes.
    /// - Parameters:
    ///   - what: "a finished run", say.
    ///   - files: names that are there.
    ///   - checkpoint: the newest that it left; nil for none.
    case holdsRun(folder: String, what: String, files: [String], checkpoint: String?)
    /// The output folder has files in it, by whomever.
    case holdsFiles(folder: String, files: [String])
    /// - Parameter holder: the process that writes there.
    case inUse(folder: String, holder: String)
    /// The records of a run could not be written; what it trained is saved.
    case unrecorded(reason: String, folder: String)

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
        case .holdsRun(let folder, let what, let files, let checkpoint):
            "\(folder) holds \(what) (\(Self.list(files))): "
                + (checkpoint.map { "`resume` goes on from \($0), " } ?? "")
                + "`overwrite` replaces it once the new run has trained, another `output` leaves it alone"
                + (checkpoint == nil ? "; `resume` would need a checkpoint, and it has none" : "")
        case .holdsFiles(let folder, let files):
            "\(folder) has files in it (\(Self.list(files))): `overwrite` replaces those of the names that "
                + "are written and leaves the others, another `output` leaves all alone"
        case .inUse(let folder, let holder):
            "\(folder) is in use by \(holder); wait for its end, or give another `output`"
        case .unrecorded(let reason, let folder):
            "\(reason); what was trained is saved in \(folder)"
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
    }
}
