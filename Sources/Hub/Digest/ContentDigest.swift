import Foundation

/// What the hub says that a file's bytes are, by its ETag.
///
/// Of a large file (LFS) that is the SHA-256, of any other the SHA-1 that git gives the blob:
/// `blob`, a space, the size, a zero byte, the content.
enum ContentDigest: Equatable {
    case sha256(String)
    case gitBlob(String)
    /// An ETag that is neither: only the size can be checked.
    case unknown

    init(etag: String) {
        switch etag.utf8.count {
        case 64 where etag.isLowercaseHexadecimal: self = .sha256(etag)
        case 40 where etag.isLowercaseHexadecimal: self = .gitBlob(etag)
        default: self = .unknown
        }
    }

    /// Whether a whole file has these bytes, given its running SHA-256.
    func matches(_ file: PartialFile, _ running: SHA256) throws -> Bool {
        switch self {
        case .unknown: return true
        case .sha256(let expected):
            var running = running
            return running.finish() == expected
        case .gitBlob(let expected):
            var digest = SHA1()
            Data("blob \(file.count)\0".utf8).withUnsafeBytes { digest.update($0) }
            try file.readAll { digest.update($0) }
            return digest.finish() == expected
        }
    }
}
