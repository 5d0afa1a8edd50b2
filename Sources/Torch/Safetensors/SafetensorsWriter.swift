import Foundation

/// Writes tensors in the safetensors format.
public enum SafetensorsWriter {
    /// Writes aside, syncs and renames, so that the file is there whole or not at all.
    ///
    /// Tensors stand in the file by falling element size, then by name, which keeps each aligned. The
    /// same tensors always give the same bytes.
    /// - Throws: ``SafetensorsError/unwritable(file:reason:)`` or ``TorchError``.
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = ["format": "pt"], to url: URL
    ) throws {
        let order = tensors.sorted {
            ($1.value.dtype.byteCount, $0.key) < ($0.value.dtype.byteCount, $1.key)
        }
        let header = try headerBytes(order, metadata: metadata)
        let file = try AtomicFile(url)
        try file.write(header)
        for (_, tensor) in order {
            try tensor.detached().to(device: .cpu).contiguous().withBytes { try file.write($0) }
        }
        try file.commit()
    }

    private static func headerBytes(
        _ tensors: [(key: String, value: Tensor)], metadata: [String: String]
    ) throws -> Data {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = try metadata.sorted { $0.key < $1.key }.map {
                try "\(quoted($0.key)):\(quoted($0.value))"
            }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for (name, tensor) in tensors {
            let end = offset + tensor.byteCount
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            fields.append(
                try "\(quoted(name)):{\"dtype\":\"\(tensor.dtype.safetensorsName)\","
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
