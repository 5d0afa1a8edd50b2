import Foundation

/// A lock among processes, as `huggingface_hub` takes it: `flock` on a file that stays behind. The
/// system lets go of it when the process ends, however it ends.
final class FileLock {
    private var descriptor: Int32 = -1

    /// Waits for the lock.
    /// - Parameter waiting: called once if another process has it.
    /// - Throws: ``HubCacheError``.
    init(_ url: URL, waiting: () throws -> Void) throws {
        var hasWaited = false
        while true {
            descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o664)
            guard descriptor >= 0 else { throw HubCacheError.lastError(url.path) }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                if !hasWaited { try waiting() }
                hasWaited = true
                while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            }
            // Where the file system has no locks, whoever comes second finds out by the checksum.
            if isStillAt(url) { return }
            close(descriptor)
        }
    }

    deinit { close(descriptor) }

    /// Whether the file is the one of that name, for who had the lock may have removed it.
    private func isStillAt(_ url: URL) -> Bool {
        var (mine, named) = (stat(), stat())
        guard fstat(descriptor, &mine) == 0, stat(url.path, &named) == 0 else { return false }
        return mine.st_ino == named.st_ino && mine.st_dev == named.st_dev
    }
}
