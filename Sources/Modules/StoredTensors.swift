import DualTorch

/// What a model's weights are read from: a checkpoint of safetensors files, or a GGUF file.
public protocol StoredTensors {
    /// The folder or the file, for messages.
    var place: String { get }

    /// The names of all tensors, sorted.
    var names: [String] { get }

    func contains(_ name: String) -> Bool

    /// The sizes that transformers' checkpoint has; nil for a name that is not there.
    func shape(of name: String) -> [Int]?

    /// The file that a tensor lies in, for messages.
    func path(of name: String) -> String

    /// The tensor over the mapped file.
    /// - Parameter isTransposed: whether it is the transpose of what ``shape(of:)`` says.
    func stored(_ name: String) throws -> (weight: StoredWeight, isTransposed: Bool)

    /// The file that has a tensor and that the index of the shards does not list.
    func unlistedFile(of name: String) -> (index: String, file: String)?
}

extension Checkpoint: StoredTensors {
    public var place: String { folder.path }

    public func stored(_ name: String) throws -> (weight: StoredWeight, isTransposed: Bool) {
        (.plain(try tensor(name)), false)
    }
}
