/// The rows of a table, each with its line end, but for empty lines. A quoted field may span lines.
struct TableCutter: RowCutter {
    private let window: ByteWindow
    private let separator: UInt8

    init(_ window: ByteWindow, separator: FieldSeparator) {
        self.window = window
        self.separator = separator.byte
    }

    mutating func next() throws(TaskDataError) -> RowBytes? {
        while true {
            window.forget()
            guard try window.reaches(window.start) else { return nil }
            var scan = Scan(place: window.start, separator: separator)
            try window.go(through: &scan)
            if scan.isEmpty {
                window.skip(to: scan.place)
            } else {
                return window.take(upTo: scan.place)
            }
        }
    }

    /// How far the row has been gone through. Quotes out of place are for its reader to find.
    private struct Scan: RowScan {
        var place: Int
        let separator: UInt8
        var isOver = false
        var isEmpty = true
        private var isQuoted = false
        private var isAtField = true
        /// Whether the byte before closed a field.
        private var hasClosed = false

        init(place: Int, separator: UInt8) {
            self.place = place
            self.separator = separator
        }

        mutating func take(_ byte: UInt8) {
            if byte == 0xA, !isQuoted {
                isOver = true
                return
            }
            if byte != 0xD { isEmpty = false }
            if byte == UInt8(ascii: "\"") {
                // A quote written twice closes the field and opens it again.
                let opens = !isQuoted && (isAtField || hasClosed)
                hasClosed = isQuoted
                isQuoted = opens
                isAtField = false
            } else {
                hasClosed = false
                isAtField = byte == separator && !isQuoted
            }
        }
    }
}
