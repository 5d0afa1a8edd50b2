import Foundation

/// A merge that would not be one.
public enum MergeError: Error, Equatable, CustomStringConvertible {
    case differs(found: Double, allowed: Double)
    /// A parameter that is not, when it is read back, what was merged.
    case strangeParameter(name: String)
    case sameFolder(path: String, what: String)

    public var description: String {
        switch self {
        case .differs(let found, let allowed):
            "the merged model's outputs differ from the adapted one's by \(found), "
                + "more than \(allowed); nothing is written"
        case .strangeParameter(let name):
            "\(name) is not what was merged when it is read back; nothing is written"
        case .sameFolder(let path, let what):
            "\(path) is the \(what)'s own folder; give the output another"
        }
    }

    /// Refuses to write over what is read.
    static func check(_ output: URL, isNoneOf inputs: [(folder: URL, what: String)]) throws {
        for (folder, what) in inputs where folder.isSameFile(as: output) {
            throw MergeError.sameFolder(path: output.path, what: what)
        }
    }
}
