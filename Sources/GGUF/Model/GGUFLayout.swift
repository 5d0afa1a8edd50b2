import DualJSON
import DualTorch

/// Where the weights of a model lie in a file: their names, and the order of their rows.
struct GGUFLayout {
    let architecture: GGUFArchitecture
    let names: GGUFNames
    let heads: (query: Int, key: Int)

    /// - Parameters:
    ///   - fields: of `config.json`.
    ///   - file: it, for messages.
    /// - Throws: ``GGUFError`` for an architecture that is not written.
    init(_ fields: [String: Any], file: String) throws {
        let type = fields["model_type"] as? String ?? "(none)"
        guard let known = GGUFArchitecture(rawValue: type == "mistral" ? "llama" : type) else {
            throw GGUFError.badKey(
                "model_type", file: file,
                reason: "is \(type.excerpt()), which is not written as GGUF; these are: "
                    + GGUFArchitecture.allCases.map(\.rawValue).joined(separator: ", ")
                    + ", mistral")
        }
        architecture = known
        names = GGUFNames(known)
        func count(_ names: String...) -> Int? {
            names.lazy.compactMap { fields[$0] as? Int }.first
        }
        let query = count("num_attention_heads", "n_head") ?? 1
        heads = (query, count("num_key_value_heads") ?? query)
    }

    /// The rows of a tensor of the file in its order: those of queries and keys of LLaMA, whose heads have
    /// the members of two halves side by side that transformers has one half behind the other.
    ///
    /// Reference: `LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`.
    func withRowsInOrder(_ tensor: Tensor, of name: String) throws -> Tensor {
        let isQuery = name.contains(".attn_q.")
        guard architecture == .llama, isQuery || name.contains(".attn_k.") else { return tensor }
        let (shape, count) = (tensor.shape, isQuery ? heads.query : heads.key)
        return try tensor.reshaped([count, 2, shape[0] / count / 2] + shape.dropFirst())
            .transposed(1, 2).contiguous().reshaped(shape)
    }
}
