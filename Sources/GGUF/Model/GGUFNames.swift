/// The names of tensors: llama.cpp's (`gguf.tensor_mapping`), and transformers' for the same parameters.
struct GGUFNames {
    private let architecture: GGUFArchitecture
    /// By llama.cpp's name for the tensor, or in a block for its part of it.
    private let whole: [String: String]
    private let parts: [String: String]
    private let blocks: String

    init(_ architecture: GGUFArchitecture) {
        self.architecture = architecture
        if architecture == .gpt2 {
            blocks = "transformer.h"
            whole = [
                "token_embd": "transformer.wte", "position_embd": "transformer.wpe",
                "output_norm": "transformer.ln_f", "output": "lm_head",
            ]
            parts = [
                "attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj",
                "ffn_norm": "ln_2", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj",
            ]
        } else {
            blocks = "model.layers"
            whole = [
                "token_embd": "model.embed_tokens", "output_norm": "model.norm",
                "output": "lm_head",
            ]
            parts = [
                "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj",
                "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
                "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
                "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm",
                "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
            ]
        }
    }

    /// Whether a tensor says what a field of `config.json` does.
    static func isOfConfiguration(_ name: String) -> Bool {
        name == "rope_freqs.weight" || name.hasPrefix("blk.") && name.hasSuffix("rope_freqs.weight")
    }

    /// transformers' name for a tensor of the file; nil for one of no known part.
    func parameter(of name: String) -> String? {
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let kind = words.last, kind == "weight" || kind == "bias" else { return nil }
        switch words.count {
        case 2: return whole[String(words[0])].map { "\($0).\(kind)" }
        case 4 where words[0] == "blk":
            guard let number = Int(words[1]), String(number) == words[1] else { return nil }
            return parts[String(words[2])].map { "\(blocks).\(number).\($0).\(kind)" }
        default: return nil
        }
    }

    /// llama.cpp's name for a parameter; nil for one that it has none for.
    func tensor(of parameter: String) -> String? {
        guard let dot = parameter.lastIndex(of: ".") else { return nil }
        let (path, kind) = (parameter[..<dot], parameter[parameter.index(after: dot)...])
        if let name = whole.first(where: { $0.value == path })?.key { return "\(name).\(kind)" }
        guard path.hasPrefix(blocks + ".") else { return nil }
        let rest = path.dropFirst(blocks.count + 1)
        guard let end = rest.firstIndex(of: "."), let number = Int(rest[..<end]),
            let part = parts.first(where: { $0.value == rest[rest.index(after: end)...] })?.key
        else { return nil }
        return "blk.\(number).\(part).\(kind)"
    }

    /// Whether transformers keeps the transpose of a tensor of the file.
    func isTransposed(_ name: String) -> Bool {
        guard architecture == .gpt2, name.hasPrefix("blk.") else { return false }
        return ["attn_qkv", "attn_output", "ffn_up", "ffn_down"].contains {
            name.hasSuffix(".\($0).weight")
        }
    }
}
