import DualJSON
import Foundation

/// The tensors of a model folder: one `model.safetensors`, or all that is in the shards that
/// `model.safetensors.index.json` lists.
///
/// As in transformers, a shard itself says which tensors it has: an index may have been left behind by
/// an edit.
public final class Checkpoint {
    /// The model folder.
    public let folder: URL
    private let files: [SafetensorsFile]
    /// The index in ``files`` of the file that each tensor lies in.
    private let fileIndices: [String: Int]
    /// The index of the shards; nil for one file.
    private let index: URL?

    /// Opens every file of the checkpoint, reading headers only.
    /// - Throws: ``SafetensorsError`` for a folder without one, a missing shard, or a bad file.
    public convenience init(folder: URL) throws {
        let single = folder.appendingPathComponent("model.safetensors")
        let index = folder.appendingPathComponent("model.safetensors.index.json")
        if FileManager.default.hasEntry(single) {
            try self.init(folder: folder, file: SafetensorsFile(single))
        } else if FileManager.default.hasEntry(index) {
            try self.init(folder: folder, index: index)
        } else {
            let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
            let pickle = pickles.first {
                FileManager.default.hasEntry(folder.appendingPathComponent($0))
            }
            throw SafetensorsError.noCheckpoint(folder: folder.path, found: pickle)
        }
    }

    private init(folder: URL, file: SafetensorsFile) throws {
        self.folder = folder
        index = nil
        files = [file]
        fileIndices = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
    }

    private init(folder: URL, index: URL) throws {
        self.folder = folder
        self.index = index
        let listed = try Self.weightMap(of: index)
        files = try Set(listed.values).sorted().map { shard in
            guard !shard.contains("/"), shard.excerpt(.max) == shard else {
                throw SafetensorsError.badIndex(
                    file: index.path,
                    reason: "shard '\(shard.excerpt())' is not a file of the same folder")
            }
            return try SafetensorsFile(folder.appendingPathComponent(shard))
        }
        fileIndices = try Self.places(in: files)
        for (name, shard) in listed.sorted(by: { $0.key < $1.key }) where fileIndices[name] == nil {
            throw SafetensorsError.badIndex(
                file: index.path,
                reason:
                    "it lists the tensor '\(name.excerpt(200))' in \(shard), but no shard has it")
        }
    }

    /// The index in `files` of the file that has each tensor.
    /// - Throws: ``SafetensorsError/badTensor(name:file:reason:)`` for a tensor of which two files have
    ///   two versions.
    private static func places(in files: [SafetensorsFile]) throws -> [String: Int] {
        var places: [String: Int] = [:]
        for (place, file) in files.enumerated() {
            for name in file.names {
                if let other = places.updateValue(place, forKey: name),
                    try !file.tensor(name).hasSameElements(as: files[other].tensor(name))
                {
                    throw SafetensorsError.badTensor(
                        name: name, file: file.url.path,
                        reason:
                            "is in \(files[other].url.lastPathComponent) too, with other numbers")
                }
            }
        }
        return places
    }

    /// The file of the folder that has a tensor and that the index of the shards does not list.
    public func unlistedFile(of name: String) -> (index: String, file: String)? {
        guard let index else { return nil }
        let listed = Set(files.map(\.url.lastPathComponent))
        let contents = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        let shard = contents?.sorted().first { shard in
            guard shard.hasSuffix(".safetensors"), !listed.contains(shard) else { return false }
            let file = try? SafetensorsFile(folder.appendingPathComponent(shard))
            return file?.contains(name) ?? false
        }
        return shard.map { (index.path, $0) }
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

extension FileManager {
    /// Whether a folder has an entry, be it a link that leads nowhere: what is said to be there and cannot
    /// be read is an error, and not missing.
    package func hasEntry(_ url: URL) -> Bool {
        (try? attributesOfItem(atPath: url.path)) != nil
    }
}
