import Foundation

/// Why a repository of the hub cannot be had. Each case says in one line what would be right.
public enum HubError: Error, Equatable, CustomStringConvertible {
    case noSuchRepository(String, endpoint: String, hasToken: Bool)
    case noSuchRevision(String, revision: String)
    case noSuchFile(String, file: String)
    case gated(String, endpoint: String, hasToken: Bool)
    case badToken(endpoint: String)
    case refused(String, what: String, status: Int, reason: String)
    case notCached(String, file: String?, cache: String)
    case unreachable(String, endpoint: String, reason: String)
    case failing(String, what: String, reason: String)
    case redirects(String, what: String)
    case badAnswer(place: String, reason: String)
    case badFile(String, file: String, reason: String)
    case wrongChecksum(String, file: String)
    case pickled(String, file: String)
    case lacks(String, what: String, hint: String)

    public var description: String {
        switch self {
        case .noSuchRepository(let name, let endpoint, let hasToken):
            "\(name): there is no such folder, and \(endpoint) has no such repository"
                + (hasToken
                    ? " that the access token may read"
                    : ", or it is private: then set HF_TOKEN to an access token")
        case .noSuchRevision(let name, let revision):
            "\(name) has no revision '\(revision)'; it must be a branch, a tag or a commit of it"
        case .noSuchFile(let name, let file): "\(name) has no file \(file)"
        case .gated(let name, let endpoint, let hasToken):
            "\(name) is gated: accept its licence on \(endpoint)/\(name)"
                + (hasToken
                    ? " with the account of the access token"
                    : " and set HF_TOKEN to an access token of that account")
        case .badToken(let endpoint):
            "\(endpoint) does not know the access token: set HF_TOKEN to a valid one, or remove it"
        case .refused(let name, let what, let status, let reason):
            "\(name): \(what) is refused with status \(status)\(reason.isEmpty ? "" : ": " + reason)"
        case .notCached(let name, let file, let cache):
            "\(name): there is no such folder, and \(file.map { "\($0) of it" } ?? "it") is not in "
                + "\(cache); HF_HUB_OFFLINE forbids to download it"
        case .unreachable(let name, let endpoint, let reason):
            "\(name): there is no such folder, it is not in the cache, and \(endpoint) cannot be "
                + "reached: \(reason)"
        case .failing(let name, let what, let reason):
            "\(name): \(what) cannot be downloaded: \(reason); run again to go on from what is there"
        case .redirects(let name, let what): "\(name): \(what) is redirected without end"
        case .badAnswer(let place, let reason):
            "\(place) does not answer as a hub does: \(reason); check HF_ENDPOINT"
        case .badFile(let name, let file, let reason): "\(name): \(file) \(reason)"
        case .wrongChecksum(let name, let file):
            "\(name): \(file) came twice with another checksum than the hub names; it is not kept"
        case .pickled(let name, let file):
            "\(name) has only \(file), which is a pickle and is never read; it needs safetensors"
        case .lacks(let name, let what, let hint):
            "\(name) has no \(what)\(hint.isEmpty ? "" : "; " + hint)"
        }
    }
}

/// A count of bytes in the unit that fits: 512 B, 1.4 GB.
package func byteText(_ count: Int) -> String {
    var (value, unit) = (Double(count), "B")
    for larger in ["kB", "MB", "GB", "TB"] where value >= 1000 {
        (value, unit) = (value / 1000, larger)
    }
    return unit == "B" ? "\(count) B" : String(format: "%.1f %@", value, unit)
}
