import DualTorch

/// All that stands before the tensors' bytes: the metadata, and an entry for each tensor.
///
/// Format: magic, version, the numbers of tensors and of keys; the keys with their values; the entries
/// (name, sizes, type, offset); a gap up to the alignment; the tensors, each aligned.
struct GGUFHeader {
    static let magic = Array("GGUF".utf8)

    private(set) var version = 0
    private(set) var keys: [String] = []
    private(set) var metadata: [String: GGUFValue] = [:]
    /// Where the type and the value of each key stand.
    private(set) var ranges: [String: Range<Int>] = [:]
    private(set) var tensors: [GGUFFile.Entry] = []
    private let file: MappedFile
    private let path: String
    private var cursor: GGUFCursor

    private static let alignmentKey = "general.alignment"
    /// The most dimensions of a tensor in ggml.
    private static let mostDimensions = 4

    init(_ file: MappedFile, path: String) {
        (self.file, self.path) = (file, path)
        cursor = GGUFCursor(file.bytes)
    }

    mutating func read() throws {
        let counts = try readCounts()
        for _ in 0..<counts.keys { try readKey() }
        let alignment = try alignment()
        var rows: [TensorRow] = []
        for index in 0..<counts.tensors { rows.append(try readTensor(index)) }
        try place(rows, alignment)
    }

    private mutating func readCounts() throws -> (tensors: Int, keys: Int) {
        guard file.bytes.starts(with: Self.magic) else {
            throw GGUFError.badFile(file: path, reason: "it does not begin with 'GGUF'")
        }
        do throws(GGUFCursor.Fault) {
            try cursor.skip(Self.magic.count)
            let number = try cursor.read(UInt32.self)
            if number != 0, number & 0xFFFF == 0 {
                throw .init(reason: "is of a machine with big-endian numbers; convert it anew")
            }
            guard 2...3 ~= number else {
                throw .init(reason: "is of version \(number); 2 and 3 are read")
            }
            version = Int(number)
            // A name's length, its count of sizes, a type and an offset; a key's length and a type.
            let tensors = try cursor.readCount(ofAtLeast: 24, "tensors")
            return (tensors, try cursor.readCount(ofAtLeast: 13, "keys"))
        } catch {
            throw GGUFError.badFile(file: path, reason: "it \(error.reason)")
        }
    }

    private mutating func readKey() throws {
        var key = ""
        do throws(GGUFCursor.Fault) {
            key = try cursor.readText()
        } catch {
            throw GGUFError.badFile(
                file: path, reason: "the name of key \(keys.count + 1) \(error.reason)")
        }
        guard metadata[key] == nil else {
            throw GGUFError.badKey(key, file: path, reason: "stands there twice")
        }
        let start = cursor.position
        do throws(GGUFCursor.Fault) {
            metadata[key] = try cursor.readValue(cursor.readValueType(), in: file)
            ranges[key] = start..<cursor.position
        } catch {
            throw GGUFError.badKey(key, file: path, reason: error.reason)
        }
        keys.append(key)
    }

    private func alignment() throws -> Int {
        switch metadata[Self.alignmentKey] {
        case nil: return 32
        case .unsigned(let number)
        where number > 0 && number & (number - 1) == 0 && number <= UInt64(UInt32.max):
            return Int(number)
        default:
            throw GGUFError.badKey(
                Self.alignmentKey, file: path, reason: "is not a power of two")
        }
    }

    // MARK: - Tensors

    /// A tensor's entry as it stands.
    private struct TensorRow {
        let name: String
        let type: GGUFType
        let shape: [Int]
        let byteCount: Int
        /// From the start of the tensors' bytes.
        let offset: UInt64
    }

    private mutating func readTensor(_ index: Int) throws -> TensorRow {
        var name = ""
        do throws(GGUFCursor.Fault) {
            name = try cursor.readText()
        } catch {
            throw GGUFError.badFile(
                file: path, reason: "the name of tensor \(index + 1) \(error.reason)")
        }
        do throws(GGUFCursor.Fault) {
            let shape = try readShape()
            let number = try cursor.read(UInt32.self)
            guard let type = GGUFType(rawValue: number) else {
                let known = GGUFType.allCases.map(\.name).joined(separator: ", ")
                throw .init(
                    reason: "is stored as \(GGUFType.name(of: number)), which is not read; "
                        + "these are: \(known)")
            }
            return TensorRow(
                name: name, type: type, shape: shape,
                byteCount: try Self.byteCount(of: shape, type), offset: try cursor.read())
        } catch {
            throw GGUFError.badTensor(name, file: path, reason: error.reason)
        }
    }

    /// The sizes, outermost first; the file has them the other way round.
    private mutating func readShape() throws(GGUFCursor.Fault) -> [Int] {
        let dimensions = try cursor.read(UInt32.self)
        guard dimensions <= Self.mostDimensions else {
            throw .init(
                reason: "has \(dimensions) dimensions; \(Self.mostDimensions) are the most")
        }
        var sizes: [Int] = []
        for _ in 0..<dimensions {
            let size = try cursor.read(UInt64.self)
            guard size <= UInt64(Int.max) else { throw .init(reason: "has the size \(size)") }
            sizes.append(Int(size))
        }
        return sizes.reversed()
    }

    private static func byteCount(
        of shape: [Int], _ type: GGUFType
    ) throws(GGUFCursor.Fault) -> Int {
        var bytes = type.blockBytes
        if type.blockSize > 1, shape.isEmpty || shape[shape.count - 1] % type.blockSize != 0 {
            throw .init(
                reason: "of shape \(shape) has rows that blocks of \(type.blockSize) numbers "
                    + "(\(type.name)) do not fill")
        }
        for (place, size) in shape.enumerated() {
            let blocks = place == shape.count - 1 ? size / type.blockSize : size
            let (product, overflow) = bytes.multipliedReportingOverflow(by: blocks)
            // Sizes that are no blocks' multiply as well where a tensor is reshaped.
            guard !overflow, product <= Int.max / 64 else {
                throw .init(reason: "has the impossible shape \(shape)")
            }
            bytes = product
        }
        // Where one size is 0, the others must still be sizes that a tensor can have.
        guard shape.allSatisfy({ $0 <= 1 << 48 }) else {
            throw .init(reason: "has the impossible shape \(shape)")
        }
        return bytes
    }

    /// Gives the tensors their places in the file, none beyond its end or over another.
    private mutating func place(_ rows: [TensorRow], _ alignment: Int) throws {
        let (padded, overflow) = cursor.position.addingReportingOverflow(alignment - 1)
        let start = overflow ? Int.max : padded / alignment * alignment
        let room = UInt64(max(0, file.count - start))
        var names: Set<String> = []
        for row in rows {
            func bad(_ reason: String) -> GGUFError {
                .badTensor(row.name, file: path, reason: reason)
            }
            guard names.insert(row.name).inserted else { throw bad("stands there twice") }
            guard row.offset % UInt64(alignment) == 0 else {
                throw bad(
                    "begins at byte \(row.offset) of the data, no multiple of \(alignment), "
                        + "the file's alignment")
            }
            guard row.offset <= room, UInt64(row.byteCount) <= room - row.offset else {
                throw bad(
                    "of \(row.byteCount) bytes begins at byte \(row.offset) of the data, but the "
                        + "file has \(room); is it truncated?")
            }
            // An empty one at the end of a file without data begins where the file ends.
            tensors.append(
                GGUFFile.Entry(
                    name: row.name, type: row.type, shape: row.shape,
                    start: min(start, file.count) + Int(row.offset), byteCount: row.byteCount))
        }
        try checkNoOverlaps()
    }

    private func checkNoOverlaps() throws {
        var last: GGUFFile.Entry?
        for entry in tensors.sorted(by: { $0.start < $1.start }) where entry.byteCount > 0 {
            if let last, entry.start < last.start + last.byteCount {
                throw GGUFError.badTensor(
                    entry.name, file: path, reason: "overlaps the tensor '\(last.name)'")
            }
            last = entry
        }
    }
}
