/// The bytes of one row of a file, not read yet.
struct RowBytes: Sendable {
    let bytes: [UInt8]
    /// Where the bytes begin, from 1.
    let line: Int
}
