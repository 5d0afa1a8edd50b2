import Foundation

/// Writes tensors in the safetensors format.
public enum SafetensorsWriter {
    /// What a file says of a tensor before its bytes.
    public struct Entry: Equatable, Sendable {
        /// The tensor's name.
        public let name: String
        /// The type of its elements.
        public let dtype: DType
        /// Its sizes, outermost first.
        public let shape: [Int]

        /// An entry for ``SafetensorsWriter/write(_:metadata:to:tensor:)``.
        public init(name: String, dtype: DType, shape: [Int]) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
        }

        /// Bytes of its elements.
        public var byteCount: Int { shape.reduce(dtype.byteCount, *) }
    }

    /// Writes aside, syncs and renames, so that the file is there whole or not at all.
    ///
    /// Tensors stand in the file by falling element size, then by name, which keeps each aligned. The
    /// same tensors always give the same bytes.
    /// - Throws: ``SafetensorsError/unwritable(file:reason:)`` or ``TorchError``.
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = ["format": "pt"], to url: URL
    ) throws {
        let entries = tensors.map {
            Entry(name: $0.key, dtype: $0.value.dtype, shape: $0.value.shape)
        }
        try write(entries, metadata: metadata, to: url) { tensors[$0.name] }
    }

    /// Writes tensors that are made one at a time, so that no two need be in memory at once.
    /// - Parameter tensor: makes the tensor of an entry, of its type and shape; called once for each,
    ///   in the order of the file.
    /// - Throws: also what `tensor` throws; the file is then not there.
    public static func write(
        _ entries: [Entry], metadata: [String: String] = ["format": "pt"], to url: URL,
        tensor: (Entry) throws -> Tensor?
    ) throws {
        let order = entries.sorted {
            ($1.dtype.byteCount, $0.name) < ($0.dtype.byteCount, $1.name)
        }
        let header = try headerBytes(order, metadata: metadata)
        let file = try AtomicFile(url)
        try file.write(header)
        for entry in order {
            guard let tensor = try tensor(entry), tensor.dtype == entry.dtype,
                tensor.shape == entry.shape
            else {
                throw SafetensorsError.badTensor(
                    name: entry.name, file: url.path, reason: "was not made as its entry says")
            }
            try tensor.detached().to(device: .cpu).contiguous().withBytes { try file.write($0) }
        }
        try file.commit()
    }

    private static func headerBytes(
        _ entries: [Entry], metadata: [String: String]
    ) throws -> Data {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = try metadata.sorted { $0.key < $1.key }.map {
                try "\(quoted($0.key)):\(quoted($0.value))"
            }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for entry in entries {
            let end = offset + entry.byteCount
            let shape = entry.shape.map(String.init).joined(separator: ",")
            fields.append(
                try "\(quoted(entry.name)):{\"dtype\":\"\(entry.dtype.safetensorsName)\","
                    + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var json = Data("{\(fields.joined(separator: ","))}".utf8)
        json.append(Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
    }

    private static func quoted(_ text: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(text), as: UTF8.self)
    }
}
