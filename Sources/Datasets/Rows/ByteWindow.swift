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
    /// Bytes of the row that are let go of because it is too long, and the line ends among them.
    private var (lost, lostLines) = (0, 0)

    /// The longest row that is kept. One token is a byte or more, and no model takes as many.
    private let longestRow: Int

    init(_ file: URL, longestRow: Int = RowBytes.longest) throws(TaskDataError) {
        blocks = try FileBlocks(file)
        self.longestRow = longestRow
    }

    /// Reads on, so that there is a byte at a place of the window.
    /// - Returns: whether the file has one.
    func reaches(_ place: Int) throws(TaskDataError) -> Bool {
        while place >= bytes.count, !isAtEnd { isAtEnd = !(try blocks.read(into: &bytes)) }
        return place < bytes.count
    }

    /// Reads on in a row that was gone through up to a place. Of one that is too long the end is let go of,
    /// and the place moves back with it.
    func continues(_ place: inout Int) throws(TaskDataError) -> Bool {
        if place >= bytes.count, place - start > longestRow {
            let kept = start + longestRow
            lost += place - kept
            lostLines += Self.lineEnds(bytes[kept..<place])
            bytes.removeSubrange(kept..<place)
            place = kept
        }
        return try reaches(place)
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
        guard lost == 0 else { return RowBytes(bytes: [], line: line, isTooLong: true) }
        return RowBytes(bytes: Array(bytes[start..<end]), line: line)
    }

    /// Passes over the bytes up to a place.
    func skip(to end: Int) {
        line += Self.lineEnds(bytes[start..<end]) + lostLines
        (lost, lostLines) = (0, 0)
        start = end
    }

    private static func lineEnds(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var count = 0
            for byte in bytes where byte == 0xA { count += 1 }
            return count
        }
    }

    /// Lets go of what has been taken; places count anew. Called where a row begins, so that the rest of a
    /// block is moved once and not row by row.
    func forget() {
        guard start == bytes.count || start > 1 << 19 else { return }
        bytes.removeFirst(start)
        start = 0
    }
}
