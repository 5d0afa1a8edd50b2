/// The lines of JSON Lines, each with its line end, but for those of white space alone.
struct LineCutter: RowCutter {
    private let window: ByteWindow

    init(_ window: ByteWindow) { self.window = window }

    mutating func next() throws(TaskDataError) -> RowBytes? {
        while true {
            window.forget()
            var end = window.start
            guard try window.reaches(end) else { return nil }
            var isBlank = true
            while try window.continues(&end) {
                let (stop, blank) = Self.scan(window.bytes, from: end)
                isBlank = isBlank && blank
                end = stop
                if end > window.start, window.bytes[end - 1] == 0xA { break }
            }
            if isBlank { window.skip(to: end) } else { return window.take(upTo: end) }
        }
    }

    /// Goes behind the next line end, or to the end of the bytes.
    private static func scan(_ bytes: [UInt8], from start: Int) -> (end: Int, isBlank: Bool) {
        bytes.withUnsafeBufferPointer { bytes in
            var (place, isBlank) = (start, true)
            while place < bytes.count {
                let byte = bytes[place]
                place += 1
                if byte == 0xA { break }
                if byte != 0x20, byte != 0x9, byte != 0xD { isBlank = false }
            }
            return (place, isBlank)
        }
    }
}
