import Foundation

/// A cache that cannot take a file.
public enum HubCacheError: Error, Equatable, CustomStringConvertible {
    case noSpace(folder: String, needed: Int, free: Int)
    case unwritable(path: String, reason: String)

    public var description: String {
        switch self {
        case .noSpace(let folder, let needed, let free):
            "\(folder): \(byteText(needed)) are needed, but \(byteText(free)) are free; "
                + "HF_HUB_CACHE names another folder for the cache"
        case .unwritable(let path, let reason):
            "\(path) cannot be written: \(reason); HF_HUB_CACHE names another folder for the cache"
        }
    }

    /// What the operating system said last.
    static func lastError(_ path: String) -> HubCacheError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}
