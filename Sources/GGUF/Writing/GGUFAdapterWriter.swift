import DualJSON
import DualTorch

/// Writes a LoRA as llama.cpp's `--lora` reads it: for every weight that changes the two factors, and one α
/// for all of them.
///
///     ΔW = (α / r) B A,  r: the rows of that A
///
/// Reference: llama.cpp's `convert_lora_to_gguf.py`, and what reads it, `llama_adapter_lora_init_impl`. Where
/// the two disagree the reader is right: the script transposes the factors of GPT-2's layers as it does the
/// weights, but PEFT keeps factors with an output a row whatever the weight is, and llama.cpp takes them so.
public struct GGUFAdapterWriter {
    private let layout: GGUFLayout

    /// - Parameters:
    ///   - fields: of the model's `config.json`.
    ///   - file: it, for messages.
    /// - Throws: ``GGUFError`` for an architecture that is not written.
    public init(fields: [String: Any], file: String) throws {
        layout = try GGUFLayout(fields, file: file)
    }

    /// What stands before the tensors.
    /// - Parameters:
    ///   - alpha: α.
    ///   - name: `general.name`.
    public func metadata(alpha: Double, name: String) -> GGUFWriter {
        var writer = GGUFWriter()
        writer.set(GGUFArchitecture.key, .text(layout.architecture.rawValue))
        writer.set(GGUFAdapter.fileTypeKey, .text(GGUFAdapter.fileType))
        writer.set(GGUFAdapter.typeKey, .text(GGUFAdapter.type))
        writer.set("general.name", .text(name))
        writer.set(GGUFAdapter.alphaKey, .number(Float(alpha)))
        writer.set("general.quantization_version", .count(2))
        return writer
    }

    /// The factors of one weight's change as the file has them.
    /// - Parameters:
    ///   - path: transformers', of the layer or the embedding.
    ///   - down: A (r, in); of an embedding (r, count).
    ///   - up: B (out, r).
    /// - Returns: the numbers by the names of their tensors; nil for a layer that the format has no name for.
    public func factors(
        of path: String, down: Tensor, up: Tensor
    ) throws -> [(name: String, value: Tensor)]? {
        guard let name = layout.names.tensor(of: path + ".weight") else { return nil }
        // What is looked up has a token a row; llama.cpp's `build_inp_embd`.
        let down = name == GGUFAdapter.embedding ? try down.transposed(0, 1).contiguous() : down
        return [
            (name + GGUFAdapter.downSuffix, down),
            (name + GGUFAdapter.upSuffix, try layout.withRowsInOrder(up, of: name)),
        ]
    }
}
