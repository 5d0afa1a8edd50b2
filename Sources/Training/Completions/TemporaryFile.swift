import Foundation
import Synchronization

/// A file of 32-bit words that has no name, so that it goes with the process. Copies of a store append to it
/// in turn.
final class TemporaryFile: Sendable {
    private let descriptor: Int32
    /// Bytes that are written.
    private let end = Mutex(0)

    /// - Returns: nil where the folder for temporary files takes none.
    init?() {
        let folder = FileManager.default.temporaryDirectory.path
        var name = Array("\(folder)/duallora-tokens-XXXXXX".utf8CString)
        descriptor = mkstemp(&name)
        guard descriptor >= 0 else { return nil }
        unlink(name)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// - Returns: how many words came before; nil where the file does not take these.
    func append(_ words: [UInt32]) -> Int? {
        end.withLock { end in
            let start = end
            let isWritten = words.withUnsafeBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                    let count = pwrite(
                        descriptor, rest.baseAddress, rest.count, off_t(start + done))
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return false }
                    done += count
                }
                return true
            }
            guard isWritten else { return nil }
            end += words.count * 4
            return start / 4
        }
    }

    /// Words that were written.
    func words(at offset: Int, count: Int) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: count) { words, filled in
            let bytes = UnsafeMutableRawBufferPointer(words)
            var done = 0
            while done < count * 4 {
                let got = pread(
                    descriptor, bytes.baseAddress?.advanced(by: done), count * 4 - done,
                    off_t(offset * 4 + done))
                if got < 0, errno == EINTR { continue }
                // The file has no name by which anything could cut it: the disk fails.
                precondition(got > 0, "the temporary file of tokens cannot be read")
                done += got
            }
            filled = count
        }
    }
}
