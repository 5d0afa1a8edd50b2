import DualJSON

/// Reads numbers and texts from the start of a GGUF file, none beyond its end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    /// What is read, for messages.
    var place = "the header"

    /// What is wrong with the bytes, in words that follow the name of what is read.
    struct Fault: Error {
        let reason: String
    }

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        (self.bytes, self.position) = (bytes, position)
    }

    var remaining: Int { bytes.count - position }

    mutating func read<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(Fault) -> Number {
        let start = position
        try skip(MemoryLayout<Number>.size)
        return Number(
            littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
    }

    /// A number of things that take at least some bytes each; no more than there is room for.
    mutating func readCount(ofAtLeast width: Int, _ what: String) throws(Fault) -> Int {
        let number = try read(UInt64.self)
        guard number <= UInt64(remaining / width) else {
            throw Fault(
                reason: "claims \(number) \(what), more than the \(remaining) bytes behind it hold")
        }
        return Int(number)
    }

    mutating func readText() throws(Fault) -> String {
        let length = try readCount(ofAtLeast: 1, "bytes of text")
        let part = bytes[position..<position + length]
        position += length
        guard let text = String(validating: part, as: UTF8.self) else {
            throw Fault(reason: "is not valid UTF-8")
        }
        return text
    }

    mutating func skipText() throws(Fault) {
        position += try readCount(ofAtLeast: 1, "bytes of text")
    }

    mutating func skip(_ count: Int) throws(Fault) {
        guard count <= remaining else {
            throw Fault(
                reason: "ends after byte \(bytes.count), with the file; is it truncated?")
        }
        position += count
    }
}
