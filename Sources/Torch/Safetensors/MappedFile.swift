import CTorch
import DualJSON
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A file mapped into memory: pages are read when touched, and shared with other processes.
///
/// The mapping is private: a write to a tensor over it changes this process's copy of the page, never
/// the file. Where the file shrinks while it is mapped, the process ends with a line that names it: what
/// is gone cannot be read, and an error cannot be thrown from wherever a tensor is touched.
package final class MappedFile {
    let start: UnsafeMutableRawPointer
    package let count: Int

    /// - Throws: ``SafetensorsError/unreadable(file:reason:)``.
    package init(_ url: URL) throws {
        // A pipe would be waited for without O_NONBLOCK; to files it means nothing.
        let descriptor = open(url.path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw SafetensorsError.unreadable(file: url.path, reason: GivenFile.reason(errno))
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
            throw SafetensorsError.unreadable(file: url.path, reason: GivenFile.reason(errno))
        }
        start = address
        _ = ct_watch_mapping(address, count, url.path)
    }

    /// The whole file; to be used while the mapping is there.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// A tensor over a part of the file, without a copy (but for one that is not aligned for its type).
    /// - Parameter offset: where it begins; that the file reaches so far is the caller's to check.
    package func tensor(at offset: Int, shape: [Int], dtype: DType) throws -> Tensor {
        let memory = start + offset
        guard Int(bitPattern: memory) % dtype.byteCount == 0 else {
            let part = UnsafeRawBufferPointer(
                start: memory, count: shape.reduce(dtype.byteCount, *))
            return Tensor(owning: try Tensor.overCopy(of: part, shape: shape, dtype: dtype))
        }
        return Tensor(
            owning: try Tensor.overMemory(
                memory, shape: shape, dtype: dtype,
                context: Unmanaged.passRetained(self).toOpaque(),
                release: { context in
                    guard let context else { return }
                    Unmanaged<MappedFile>.fromOpaque(context).release()
                }))
    }

    deinit {
        ct_forget_mapping(start)
        munmap(start, count)
    }
}
