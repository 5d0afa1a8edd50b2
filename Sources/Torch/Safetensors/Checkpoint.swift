import DualJSON
import Foundation

/// The tensors of a model folder: one `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
public final class Checkpoint {
    /// The model folder.
    public let folder: URL
    private let files: [SafetensorsFile]
    /// The index in ``files`` of the file that each tensor lies in.
    private let fileIndices: [String: Int]

    /// Opens every file of the checkpoint, reading headers only.
    /// - Throws: ``SafetensorsError`` for a folder without one, a missing shard, or a bad file.
    public convenience init(folder: URL) throws {
        let single = folder.appendingPathComponent("model.safetensors")
        let index = folder.appendingPathComponent("model.safetensors.index.json")
        let manager = FileManager.default
        if manager.fileExists(atPath: single.path) {
            try self.init(folder: folder, file: SafetensorsFile(single))
        } else if manager.fileExists(atPath: index.path) {
            try self.init(folder: folder, index: index)
        } else {
            let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
            let pickle = pickles.first {
                manager.fileExists(atPath: folder.appendingPathComponent($0).path)
            }
            throw SafetensorsError.noCheckpoint(folder: folder.path, found: pickle)
        }
    }

    private init(folder: URL, file: SafetensorsFile) throws {
        self.folder = folder
        files = [file]
        fileIndices = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
    }

    private init(folder: URL, index: URL) throws {
        self.folder = folder
        let names = try Self.weightMap(of: index)
        let shards = Set(names.values).sorted()
        files = try shards.map { shard in
            guard !shard.contains("/") else {
                throw SafetensorsError.badIndex(
                    file: index.path, reason: "shard '\(shard)' is not a file of the same folder")
            }
            return try SafetensorsFile(folder.appendingPathComponent(shard))
        }
        var fileIndices: [String: Int] = [:]
        for (name, shard) in names {
            guard let index = shards.firstIndex(of: shard), files[index].contains(name) else {
                throw SafetensorsError.missingTensor(
                    name: name, file: folder.appendingPathComponent(shard).path)
            }
            fileIndices[name] = index
        }
        self.fileIndices = fileIndices
    }

    /// The names of all tensors, sorted.
    public var names: [String] { fileIndices.keys.sorted() }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool { fileIndices[name] != nil }

    /// The sizes of a tensor, outermost first; nil for a name that is not there.
    public func shape(of name: String) -> [Int]? {
        fileIndices[name].flatMap { files[$0].shape(of: name) }
    }

    /// The element type of a tensor; nil for a name that is not there.
    public func dtype(of name: String) -> DType? {
        fileIndices[name].flatMap { files[$0].dtype(of: name) }
    }

    /// The file that a tensor lies in, for messages.
    public func path(of name: String) -> String {
        fileIndices[name].map { files[$0].url.path } ?? folder.path
    }

    /// The tensor over the mapped file.
    /// - Throws: ``SafetensorsError/missingTensor(name:file:)``.
    public func tensor(_ name: String) throws -> Tensor {
        guard let index = fileIndices[name] else {
            let file = files.count == 1 ? files[0].url.path : folder.path
            throw SafetensorsError.missingTensor(name: name, file: file)
        }
        return try files[index].tensor(name)
    }

    /// The file that each tensor lies in, from an index of shards.
    private static func weightMap(of index: URL) throws -> [String: String] {
        let json: [UInt8]
        do throws(GivenFile.Fault) {
            json = [UInt8](try GivenFile.data(of: index))
        } catch {
            throw SafetensorsError.unreadable(file: index.path, reason: error.reason)
        }
        do throws(FieldFault) {
            var files: [String: String] = [:]
            for (name, file) in try CheckedField(json: json).member("weight_map").members() {
                files[name] = try file.text()
            }
            return files
        } catch {
            throw SafetensorsError.badIndex(file: index.path, reason: error.description)
        }
    }
}
