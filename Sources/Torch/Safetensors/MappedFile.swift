import DualJSON
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A file mapped into memory: pages are read when touched, and shared with other processes.
///
/// The mapping is private: a write to a tensor over it changes this process's copy of the page, never
/// the file.
final class MappedFile {
    let start: UnsafeMutableRawPointer
    let count: Int

    /// - Throws: ``SafetensorsError/unreadable(file:reason:)``.
    init(_ url: URL) throws {
        let descriptor = open(url.path, O_RDONLY)
        guard descriptor >= 0 else {
            throw SafetensorsError.unreadable(
                file: url.path, reason: ReadFault.words(for: errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError.unreadable(file: url.path, reason: "it is not a regular file")
        }
        count = Int(status.st_size)
        guard count > 0 else {
            throw SafetensorsError.unreadable(file: url.path, reason: "it is empty")
        }
        // Nothing is reserved for pages that no one writes to: a file may be larger than memory.
        let address = mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw SafetensorsError.unreadable(
                file: url.path, reason: ReadFault.words(for: errno))
        }
        start = address
    }

    deinit { munmap(start, count) }
}
