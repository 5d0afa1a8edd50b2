/// The bytes of one row of a file, not read yet.
struct RowBytes: Sendable {
    let bytes: [UInt8]
    /// Where the bytes begin, from 1.
    let line: Int
    /// Whether the row had more bytes than are kept of one; it has none then.
    var isTooLong = false

    static let longest = 16 << 20
}
