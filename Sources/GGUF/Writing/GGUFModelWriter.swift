import DualJSON
import DualTorch
import Foundation

/// Writes a model as llama.cpp reads it: the metadata of its configuration and its tokenizer, and its
/// weights under llama.cpp's names, in its order of rows.
///
/// Reference: llama.cpp's `convert_hf_to_gguf.py`.
public struct GGUFModelWriter {
    /// The keys that are written; more may be set.
    public var metadata: GGUFWriter
    private let layout: GGUFLayout
    private let rotaryFactors: [Float]?

    private static let factorsName = "rope_freqs.weight"

    /// - Parameters:
    ///   - fields: of `config.json`.
    ///   - files: the model's, or a GGUF file's, for its tokenizer.
    ///   - base: the GGUF file that the model was read from; its tokenizer is copied as it is.
    ///   - type: of most weights.
    ///   - name: `general.name`.
    /// - Throws: ``GGUFError`` for an architecture or a tokenizer that the format, or this package, has no
    ///   place for.
    public init(
        fields: [String: Any], files: ModelFiles, base: GGUFFile?, type: GGUFType, name: String
    ) throws {
        let place = files.path("config.json")
        layout = try GGUFLayout(fields, file: place)
        let configuration = try GGUFConfigurationKeys(fields, file: place)
        rotaryFactors = configuration.rotaryFactors
        var writer = GGUFWriter()
        writer.set(GGUFArchitecture.key, .text(layout.architecture.rawValue))
        writer.set("general.type", .text("model"))
        writer.set("general.name", .text(name))
        for (key, value) in configuration.keys { writer.set(key, value) }
        writer.set("general.file_type", .count(type.fileType))
        if type.blockSize > 1 { writer.set("general.quantization_version", .count(2)) }
        if let base {
            for key in base.keys where key.hasPrefix("tokenizer.") {
                if let value = base.raw(key) { writer.set(key, .raw(value)) }
            }
        } else {
            let size = fields["vocab_size"] as? Int
            for (key, value) in try GGUFTokenizerKeys(files, size: size).keys {
                writer.set(key, value)
            }
        }
        metadata = writer
    }

    /// What is written of a parameter; nil for one that the format has no name for.
    /// - Parameters:
    ///   - name: transformers'.
    ///   - shape: as transformers has it.
    ///   - type: of a matrix; vectors are always F32, and so are rows that its blocks do not fill F16.
    public func entry(_ name: String, shape: [Int], type: GGUFType) -> GGUFWriter.Entry? {
        guard let tensor = layout.names.tensor(of: name) else { return nil }
        let shape = layout.names.isTransposed(tensor) ? shape.reversed() : shape
        var type = shape.count < 2 ? .f32 : type
        if let columns = shape.last, columns % type.blockSize != 0 { type = .f16 }
        return GGUFWriter.Entry(name: tensor, type: type, shape: shape)
    }

    /// A parameter's numbers in the order of the format; the caller stores them in their type.
    public func arranged(_ tensor: Tensor, _ name: String) throws -> Tensor {
        guard let written = layout.names.tensor(of: name) else { return tensor }
        if layout.names.isTransposed(written) { return try tensor.transposed(0, 1).contiguous() }
        return try layout.withRowsInOrder(tensor, of: written)
    }

    /// Tensors that stand for a part of the configuration.
    public func configurationTensors() throws -> [(GGUFWriter.Entry, Tensor)] {
        guard let rotaryFactors else { return [] }
        let entry = GGUFWriter.Entry(
            name: Self.factorsName, type: .f32, shape: [rotaryFactors.count])
        return [(entry, try Tensor(rotaryFactors))]
    }
}

extension GGUFType {
    /// `general.file_type` of a file whose weights are mostly of this type (`llama_ftype`).
    fileprivate var fileType: UInt32 {
        switch self {
        case .f32: 0
        case .f16: 1
        case .q4_0: 2
        case .q4_1: 3
        case .q8_0: 7
        case .q5_0: 8
        case .q5_1: 9
        case .q4_K: 15
        case .q5_K: 17
        case .q6_K: 18
        case .bf16: 32
        }
    }
}
