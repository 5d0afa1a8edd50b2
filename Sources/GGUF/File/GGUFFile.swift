import DualJSON
import DualTorch
import Foundation

/// A GGUF file of version 2 or 3, opened for reading: what it says of itself is checked whole, its
/// tensors are mapped.
///
/// Reference: ggml's `gguf_init_from_file`. Numbers are little-endian.
public final class GGUFFile {
    /// A tensor, as its entry has it.
    public struct Entry: Equatable, Sendable {
        public let name: String
        public let type: GGUFType
        /// Sizes, outermost first: rows before columns, as PyTorch has them.
        public let shape: [Int]
        /// The first byte, from the start of the file.
        let start: Int
        public let byteCount: Int
    }

    /// Where the file is.
    public let url: URL
    public let version: Int
    /// The keys of the metadata, in the order of the file.
    public let keys: [String]
    /// The tensors, in the order of the file.
    public let tensors: [Entry]
    private let metadata: [String: GGUFValue]
    private let ranges: [String: Range<Int>]
    private let places: [String: Int]
    private let file: MappedFile

    /// Maps the file and checks every key, name, type, shape and offset.
    /// - Throws: ``GGUFError`` that names the file and the key or the tensor at fault.
    public init(_ url: URL) throws {
        self.url = url
        file = try MappedFile(url)
        var header = GGUFHeader(file, path: url.path)
        try header.read()
        (version, metadata, keys) = (header.version, header.metadata, header.keys)
        (tensors, ranges) = (header.tensors, header.ranges)
        places = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    /// The value under a key of the metadata; nil for a key that is not there.
    public subscript(key: String) -> GGUFValue? { metadata[key] }

    /// The type and the value under a key, byte for byte.
    func raw(_ key: String) -> [UInt8]? { ranges[key].map { [UInt8](file.bytes[$0]) } }

    /// What the file says of a tensor; nil for a name that is not there.
    public func entry(_ name: String) -> Entry? { places[name].map { tensors[$0] } }

    /// The tensor over the mapped file, without a copy: of numbers where they are stored plainly, and
    /// else the blocks of each row as bytes, `[..., bytes of a row]`.
    /// - Throws: ``GGUFError/missingTensor(_:file:)``.
    public func tensor(_ name: String) throws -> Tensor {
        guard let entry = entry(name) else {
            throw GGUFError.missingTensor(name, file: url.path)
        }
        if let dtype = entry.type.dtype {
            return try file.tensor(at: entry.start, shape: entry.shape, dtype: dtype)
        }
        var shape = entry.shape
        let columns = shape.removeLast()
        shape.append(columns / entry.type.blockSize * entry.type.blockBytes)
        return try file.tensor(at: entry.start, shape: shape, dtype: .uint8)
    }

    /// Whether a place is a GGUF file, by its first bytes.
    public static func isOne(_ place: URL) -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder),
            !isFolder.boolValue
        else { return false }
        if place.pathExtension.lowercased() == "gguf" { return true }
        let start = try? GivenFile.data(of: place, atMost: GGUFHeader.magic.count)
        return start.map { [UInt8]($0) == GGUFHeader.magic } ?? false
    }
}
