import Foundation

/// The bytes of a file, a block at a time, behind the byte order mark that it may begin with.
final class FileBlocks {
    private let descriptor: Int32
    private let path: String
    private var isFirst = true

    private static let size = 1 << 20

    /// - Throws: ``TaskDataError``.
    init(_ file: URL) throws(TaskDataError) {
        path = file.relativePath
        guard file.exists else { throw .fileNotFound(path: path) }
        guard !file.isFolder else { throw .isFolder(path: path) }
        let descriptor = open(file.path, O_RDONLY)
        guard descriptor >= 0 else {
            throw .unreadable(
                path: path,
                reason: errno == EACCES ? "no permission" : String(cString: strerror(errno)))
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Appends the next bytes.
    /// - Returns: whether there were any.
    func read(into buffer: inout [UInt8]) throws(TaskDataError) -> Bool {
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.size))
        var got = -1
        repeat {
            got = buffer.withUnsafeMutableBytes {
                Foundation.read(descriptor, $0.baseAddress?.advanced(by: start), Self.size)
            }
        } while got < 0 && errno == EINTR
        buffer.removeLast(Self.size - max(0, got))
        guard got >= 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        if isFirst, got > 0 {
            isFirst = false
            // The byte order mark of UTF-16, whose two bytes begin no text in UTF-8.
            guard !buffer.starts(with: [0xFF, 0xFE]), !buffer.starts(with: [0xFE, 0xFF]) else {
                throw .isUTF16(path: path)
            }
            if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { buffer.removeFirst(3) }
        }
        return got > 0
    }
}
