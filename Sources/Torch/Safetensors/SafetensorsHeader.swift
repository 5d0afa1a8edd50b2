import DualJSON

/// The table at the start of a safetensors file: names, types, shapes and positions, all checked.
///
/// Format: 8 bytes little-endian header length, a JSON object, the tensors' bytes without gaps.
/// Reference: the `safetensors` crate, `SafeTensors::read_metadata` and `Metadata::validate`.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        let dtype: DType
        let shape: [Int]
        /// Byte positions from the start of the file.
        let range: Range<Int>
    }

    let entries: [Entry]
    let metadata: [String: String]

    private static let lengthBytes = 8
    private static let longestHeader = 100_000_000
    /// The most dimensions of a tensor in PyTorch's kernels.
    private static let longestShape = 64

    init(bytes: UnsafeRawBufferPointer, file: String) throws {
        func bad(_ reason: String) -> SafetensorsError { .badHeader(file: file, reason: reason) }
        guard bytes.count >= Self.lengthBytes else {
            throw bad("it has \(bytes.count) bytes, fewer than the length of a header takes")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= Self.longestHeader else {
            throw bad("its first 8 bytes give a header of \(length) bytes; 100 MB is the most")
        }
        let start = Self.lengthBytes + Int(length)
        guard start <= bytes.count else {
            throw bad("its header takes \(length) bytes, but the file ends after \(bytes.count)")
        }
        let table: Table
        do throws(FieldFault) {
            table = try Table([UInt8](bytes[Self.lengthBytes..<start]))
        } catch {
            throw bad("its header is not what the format asks for: \(error)")
        }
        metadata = table.metadata
        entries = try table.tensors.map { name, raw in
            try Self.entry(name, raw, start: start, fileSize: bytes.count, file: file)
        }.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        try Self.checkNoGaps(entries, start: start, fileSize: bytes.count, file: file)
    }

    private static func entry(
        _ name: String, _ raw: Table.Entry, start: Int, fileSize: Int, file: String
    ) throws -> Entry {
        func bad(_ reason: String) -> SafetensorsError {
            .badTensor(name: name, file: file, reason: reason)
        }
        guard let dtype = DType.allCases.first(where: { $0.safetensorsName == raw.dtype }) else {
            throw bad("has type \(raw.dtype), which this package does not compute with")
        }
        guard raw.shape.count <= longestShape else {
            throw bad("has \(raw.shape.count) dimensions; \(longestShape) are the most")
        }
        var bytes = dtype.byteCount
        for size in raw.shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { throw bad("has the impossible shape \(raw.shape)") }
            bytes = product
        }
        guard raw.data_offsets.count == 2, raw.data_offsets[0] >= 0,
            raw.data_offsets[0] <= raw.data_offsets[1]
        else { throw bad("has the impossible offsets \(raw.data_offsets)") }
        guard raw.data_offsets[1] <= fileSize - start else {
            throw bad(
                "ends at byte \(raw.data_offsets[1]) of the data, "
                    + "but the file has \(fileSize - start); is it truncated?")
        }
        let (low, high) = (start + raw.data_offsets[0], start + raw.data_offsets[1])
        guard high - low == bytes else {
            throw bad(
                "of shape \(raw.shape) and type \(raw.dtype) needs \(bytes) bytes, "
                    + "but its offsets span \(high - low)")
        }
        return Entry(name: name, dtype: dtype, shape: raw.shape, range: low..<high)
    }

    private static func checkNoGaps(
        _ entries: [Entry], start: Int, fileSize: Int, file: String
    ) throws {
        var end = start
        for entry in entries {
            guard entry.range.lowerBound == end else {
                let problem =
                    entry.range.lowerBound < end ? "overlaps the one before it" : "follows a gap"
                throw SafetensorsError.badTensor(
                    name: entry.name, file: file,
                    reason:
                        "starts at byte \(entry.range.lowerBound - start) of the data, and \(problem)"
                )
            }
            end = entry.range.upperBound
        }
        guard end == fileSize else {
            throw SafetensorsError.badHeader(
                file: file, reason: "\(fileSize - end) bytes at its end belong to no tensor")
        }
    }
}

/// The JSON of the header, as it stands.
private struct Table {
    struct Entry {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    var tensors: [(String, Entry)] = []
    var metadata: [String: String] = [:]

    init(_ json: [UInt8]) throws(FieldFault) {
        for (name, value) in try CheckedField(json: json).members() {
            if name == "__metadata__" {
                for (key, text) in try value.members() { metadata[key] = try text.text() }
            } else {
                let entry = Entry(
                    dtype: try value.member("dtype").text(),
                    shape: try value.member("shape").integers(),
                    data_offsets: try value.member("data_offsets").integers())
                tensors.append((name, entry))
            }
        }
    }
}

extension DType {
    /// The type's name in the safetensors format.
    var safetensorsName: String {
        switch self {
        case .uint8: "U8"
        case .int8: "I8"
        case .int16: "I16"
        case .int32: "I32"
        case .int64: "I64"
        case .float16: "F16"
        case .float32: "F32"
        case .float64: "F64"
        case .bool: "BOOL"
        case .bfloat16: "BF16"
        }
    }
}
