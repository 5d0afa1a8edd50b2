import Foundation

/// A safetensors file, opened for reading: the header is checked whole, the tensors are mapped.
public final class SafetensorsFile {
    /// Where the file is.
    public let url: URL
    /// The texts under `__metadata__`.
    public let metadata: [String: String]
    private let entries: [String: SafetensorsHeader.Entry]
    private let file: MappedFile

    /// Maps the file and checks every name, type, shape and offset of its header.
    /// - Throws: ``SafetensorsError`` that names the file and the tensor at fault.
    public init(_ url: URL) throws {
        self.url = url
        file = try MappedFile(url)
        let header = try SafetensorsHeader(bytes: file.bytes, file: url.path)
        metadata = header.metadata
        entries = Dictionary(header.entries.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The names of all tensors, sorted.
    public var names: [String] { entries.keys.sorted() }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool { entries[name] != nil }

    /// The sizes of a tensor, outermost first; nil for a name that is not there.
    public func shape(of name: String) -> [Int]? { entries[name]?.shape }

    /// The element type of a tensor; nil for a name that is not there.
    public func dtype(of name: String) -> DType? { entries[name]?.dtype }

    /// The tensor over the mapped file, without a copy (but for one that is not aligned for its type).
    /// - Throws: ``SafetensorsError/missingTensor(name:file:)``.
    public func tensor(_ name: String) throws -> Tensor {
        guard let entry = entries[name] else {
            throw SafetensorsError.missingTensor(name: name, file: url.path)
        }
        return try file.tensor(
            at: entry.range.lowerBound, shape: entry.shape, dtype: entry.dtype)
    }
}
