import DualTorch
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps a folder to one process, or one run of a process, for as long as it writes there.
///
/// A file in the folder is locked, and says who holds it. The system takes the lock away from a process
/// that is gone, however it went: what a killed one left is taken over.
final class FolderLock {
    static let fileName = ".duallora.lock"

    /// Who holds a folder.
    struct Holder: Codable, Equatable {
        var process: Int32
        var host: String
        var since: String

        static var mine: Holder {
            Holder(
                process: getpid(), host: ProcessInfo.processInfo.hostName,
                since: Date().formatted(.iso8601))
        }

        /// Whether a process of this machine holds the folder no more, though nothing took its lock away.
        var isGone: Bool {
            host == ProcessInfo.processInfo.hostName && kill(process, 0) != 0 && errno == ESRCH
        }
    }

    private let file: URL
    private var descriptor: Int32 = -1

    /// - Throws: ``RunError/inUse(folder:holder:)``, ``RunError/unwritable(path:reason:)``.
    init(_ folder: URL) throws {
        file = folder.appendingPathComponent(Self.fileName)
        var isHeld = false
        while !isHeld { isHeld = try take(folder) }
        UnfinishedFiles.add(file)
        write()
    }

    deinit { release() }

    /// Gives the folder free.
    func release() {
        guard descriptor >= 0 else { return }
        unlink(file.path)
        close(descriptor)
        descriptor = -1
        UnfinishedFiles.drop(file)
    }

    /// Locks the file.
    /// - Returns: false where who held it has just removed it: it is to be made anew.
    private func take(_ folder: URL) throws -> Bool {
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(folder) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            // A file system without locks has only what the file says.
            let isHeld = errno == EWOULDBLOCK || errno == EINTR
            let holder = holder
            if isHeld || !(holder?.isGone ?? true) {
                close(descriptor)
                descriptor = -1
                throw RunError.inUse(folder: folder.relativePath, holder: Self.words(holder, file))
            }
        }
        var (locked, named) = (stat(), stat())
        if fstat(descriptor, &locked) == 0, stat(file.path, &named) == 0,
            locked.st_ino == named.st_ino, locked.st_dev == named.st_dev
        {
            return true
        }
        close(descriptor)
        descriptor = -1
        return false
    }

    private var holder: Holder? {
        guard let data = try? Data(contentsOf: file) else { return nil }
        return try? JSONDecoder().decode(Holder.self, from: data)
    }

    private static func words(_ holder: Holder?, _ file: URL) -> String {
        guard let holder else { return "another process, by \(file.relativePath)" }
        return "process \(holder.process) on \(holder.host), since \(holder.since)"
    }

    /// Says who holds the folder; on a full disk it is held without a word.
    private func write() {
        guard let data = try? JSONEncoder().encode(Holder.mine) else { return }
        ftruncate(descriptor, 0)
        data.withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private func failure(_ folder: URL) -> RunError {
        .unwritable(path: folder.path, reason: String(cString: strerror(errno)))
    }
}
