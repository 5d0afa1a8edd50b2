import Foundation

/// What of a file has been read and not been cut yet.
final class ByteWindow {
    private let blocks: FileBlocks
    private(set) var bytes: [UInt8] = []
    /// Where the next row begins.
    private(set) var start = 0
    private var isAtEnd = false
    /// The line that the next row begins on.
    private(set) var line = 1

    init(_ file: URL) throws(TaskDataError) { blocks = try FileBlocks(file) }

    /// Reads on, so that there is a byte at a place of the window.
    /// - Returns: whether the file has one.
    func reaches(_ place: Int) throws(TaskDataError) -> Bool {
        while place >= bytes.count, !isAtEnd { isAtEnd = !(try blocks.read(into: &bytes)) }
        return place < bytes.count
    }

    /// Passes over white space of JSON.
    /// - Returns: the byte behind it; nil at the end.
    func skipSpace() throws(TaskDataError) -> UInt8? {
        while try reaches(start) {
            switch bytes[start] {
            case 0x20, 0x9, 0xA, 0xD: skip(to: start + 1)
            case let byte: return byte
            }
        }
        return nil
    }

    /// Takes the bytes up to a place.
    func take(upTo end: Int) -> RowBytes {
        defer { skip(to: end) }
        return RowBytes(bytes: Array(bytes[start..<end]), line: line)
    }

    /// Passes over the bytes up to a place.
    func skip(to end: Int) {
        bytes.withUnsafeBufferPointer { bytes in
            for byte in bytes[start..<end] where byte == 0xA { line += 1 }
        }
        start = end
    }

    /// Lets go of what has been taken; places count anew. Called where a row begins, so that the rest of a
    /// block is moved once and not row by row.
    func forget() {
        guard start == bytes.count || start > 1 << 19 else { return }
        bytes.removeFirst(start)
        start = 0
    }
}
