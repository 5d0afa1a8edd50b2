import DualTorch

/// The tensors of a GGUF file under the names that transformers has for a model's parameters, their rows
/// in its order.
public final class GGUFCheckpoint {
    /// A tensor as it is stored.
    public struct Stored {
        public let type: GGUFType
        /// Of the numbers: rows and columns.
        public let shape: [Int]
        /// The numbers where they are stored plainly, and else the bytes of each row's blocks.
        public let elements: Tensor
        /// Whether the parameter is the transpose: GPT-2's layers, whose weights transformers keeps with
        /// an input a row.
        public let isTransposed: Bool
    }

    public let file: GGUFFile
    public let architecture: GGUFArchitecture
    private let mapping: GGUFNames
    /// The file's names by the parameters'.
    private let sources: [String: String]
    private let queryHeads: Int
    private let keyHeads: Int

    /// - Throws: ``GGUFError``.
    public init(_ file: GGUFFile) throws {
        self.file = file
        let architecture = try GGUFArchitecture(of: file)
        self.architecture = architecture
        mapping = GGUFNames(architecture)
        func heads(_ name: String) throws -> Int? {
            try file.count("\(architecture.rawValue).attention.\(name)")
        }
        queryHeads = try heads("head_count") ?? 1
        keyHeads = try heads("head_count_kv") ?? queryHeads
        var sources: [String: String] = [:]
        for entry in file.tensors where !GGUFNames.isOfConfiguration(entry.name) {
            let name = mapping.parameter(of: entry.name) ?? entry.name
            guard sources.updateValue(entry.name, forKey: name) == nil else {
                throw GGUFError.badTensor(
                    entry.name, file: file.url.path, reason: "is there under another name too")
            }
        }
        self.sources = sources
    }

    /// The names of all parameters, sorted; a tensor of no known part has the file's name.
    public var names: [String] { sources.keys.sorted() }

    /// Whether there is a parameter of this name.
    public func contains(_ name: String) -> Bool { sources[name] != nil }

    private func entry(_ name: String) -> GGUFFile.Entry? { sources[name].flatMap(file.entry) }

    /// The sizes of a parameter as transformers has them; nil for a name that is not there.
    public func shape(of name: String) -> [Int]? {
        entry(name).map { mapping.isTransposed($0.name) ? $0.shape.reversed() : $0.shape }
    }

    /// How a parameter is stored; nil for a name that is not there.
    public func type(of name: String) -> GGUFType? { entry(name)?.type }

    /// The file, for messages.
    public func path(of name: String) -> String { file.url.path }

    /// The parameter as it is stored, over the mapped file. Only rows that the format has in another order
    /// are copied, whole.
    /// - Throws: ``GGUFError/missingTensor(_:file:)``.
    public func tensor(_ name: String) throws -> Stored {
        guard let entry = entry(name) else {
            throw GGUFError.missingTensor(name, file: file.url.path)
        }
        var elements = try file.tensor(entry.name)
        if let heads = permutedHeads(of: entry.name) {
            elements = try withRowsInOrder(elements, entry, heads: heads)
        }
        return Stored(
            type: entry.type, shape: entry.shape, elements: elements,
            isTransposed: mapping.isTransposed(entry.name))
    }

    /// The heads whose rows llama.cpp's converter puts in another order; nil for other tensors.
    private func permutedHeads(of name: String) -> Int? {
        guard architecture == .llama else { return nil }
        if name.contains(".attn_q.") { return queryHeads }
        return name.contains(".attn_k.") ? keyHeads : nil
    }

    /// The rows of a head with the two halves, whose members turn together, one behind the other; the file
    /// has them side by side (`LlamaModel.permute` of `convert_hf_to_gguf.py`).
    private func withRowsInOrder(
        _ elements: Tensor, _ entry: GGUFFile.Entry, heads: Int
    ) throws -> Tensor {
        let shape = elements.shape
        guard let rows = shape.first, heads > 0, rows % (2 * heads) == 0 else {
            throw GGUFError.badTensor(
                entry.name, file: file.url.path,
                reason: "of shape \(entry.shape) does not have an even number of rows for each of "
                    + "\(heads) heads")
        }
        return try elements.reshaped([heads, rows / heads / 2, 2] + shape.dropFirst())
            .transposed(1, 2).contiguous().reshaped(shape)
    }
}
