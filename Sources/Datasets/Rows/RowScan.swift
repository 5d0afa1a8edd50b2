/// How far a row has been gone through, byte by byte.
protocol RowScan {
    /// The byte that comes next.
    var place: Int { get set }
    /// Whether the row has ended.
    var isOver: Bool { get }

    mutating func take(_ byte: UInt8)
}

extension RowScan {
    /// Goes on to the end of the row, or to the end of the bytes.
    mutating func go(through bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { bytes in
            while place < bytes.count, !isOver {
                take(bytes[place])
                place += 1
            }
        }
    }
}

extension ByteWindow {
    /// Goes through a row to its end, or to that of the file.
    func go(through scan: inout some RowScan) throws(TaskDataError) {
        while !scan.isOver, try continues(&scan.place) { scan.go(through: bytes) }
    }
}
