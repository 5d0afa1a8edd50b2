import Foundation

/// A file that grows at its end, and that another process can go on with.
final class PartialFile {
    let url: URL
    private(set) var count = 0
    /// Of all bytes so far, where it is asked for.
    private(set) var digest = SHA256()
    private let descriptor: Int32
    private let isHashed: Bool

    private static let chunkSize = 1 << 20

    /// Opens the file, or makes it.
    /// - Parameter isHashed: whether ``digest`` is kept, for which what is there is read.
    /// - Throws: ``HubCacheError``.
    init(_ url: URL, isHashed: Bool) throws {
        self.url = url
        self.isHashed = isHashed
        descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw HubCacheError.lastError(url.path) }
        count = Int(lseek(descriptor, 0, SEEK_END))
        if isHashed { try readAll { digest.update($0) } }
    }

    deinit { close(descriptor) }

    func append(_ data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var remaining = bytes[...]
            while !remaining.isEmpty {
                let buffer = UnsafeRawBufferPointer(rebasing: remaining)
                let written = pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(count))
                if written < 0 {
                    if errno == EINTR { continue }
                    throw HubCacheError.lastError(url.path)
                }
                if isHashed {
                    digest.update(UnsafeRawBufferPointer(rebasing: buffer.prefix(written)))
                }
                count += written
                remaining = remaining.dropFirst(written)
            }
        }
    }

    /// Takes everything away.
    func clear() throws {
        guard ftruncate(descriptor, 0) == 0 else { throw HubCacheError.lastError(url.path) }
        count = 0
        digest = SHA256()
    }

    func readAll(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try withUnsafeTemporaryAllocation(byteCount: Self.chunkSize, alignment: 16) { buffer in
            var offset = 0
            while offset < count {
                let read = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                if read < 0, errno == EINTR { continue }
                guard read > 0 else { throw HubCacheError.lastError(url.path) }
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
                offset += read
            }
        }
    }

    /// Gives the file its name, when all of it is on the disk.
    func move(to target: URL) throws {
        guard fsync(descriptor) == 0, rename(url.path, target.path) == 0 else {
            throw HubCacheError.lastError(target.path)
        }
    }
}
