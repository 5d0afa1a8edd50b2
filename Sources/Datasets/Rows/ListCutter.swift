import DualJSON

/// The values of one list of JSON, each with what ends it: a comma, the list's bracket, or, where the list
/// breaks off, nothing.
struct ListCutter: RowCutter {
    private let window: ByteWindow
    private let path: String
    private var state = State.beginning

    private enum State {
        case beginning, inside, closed, over
    }

    /// - Parameter window: of a file whose first byte but white space is a bracket.
    init(_ window: ByteWindow, path: String) {
        self.window = window
        self.path = path
        window.skip(to: window.start + 1)
    }

    mutating func next() throws(TaskDataError) -> RowBytes? {
        if case .over = state { return nil }
        window.forget()
        if case .beginning = state, try window.skipSpace() == UInt8(ascii: "]") {
            window.skip(to: window.start + 1)
            state = .closed
        }
        if case .closed = state {
            state = .over
            try checkEnd()
            return nil
        }
        _ = try window.skipSpace()
        var scan = Scan(place: window.start)
        try window.go(through: &scan)
        let last = scan.isOver ? window.bytes[scan.place - 1] : nil
        let row = window.take(upTo: scan.place)
        switch last {
        case UInt8(ascii: ","): state = .inside
        case UInt8(ascii: "]"): state = .closed
        default: state = .over
        }
        return row
    }

    /// Checks that nothing follows the list.
    private func checkEnd() throws(TaskDataError) {
        guard try window.skipSpace() != nil else { return }
        var rest = JSONReader(Array(window.bytes[window.start...]), line: window.line)
        throw TaskDataError(rest.unexpected("the end of the file"), path: path)
    }

    /// How far the value has been gone through.
    private struct Scan: RowScan {
        var place: Int
        var depth = 0
        var isText = false
        var isEscaped = false
        var isOver = false

        mutating func take(_ byte: UInt8) {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
                return
            }
            switch byte {
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                isOver = depth == 0
                depth -= 1
            case UInt8(ascii: ","): isOver = depth == 0
            default: break
            }
        }
    }
}
