import DualJSON
import Foundation

/// The fields of `config.json` that the metadata of a file amounts to.
///
/// Reference: transformers' `load_gguf_checkpoint`, and llama.cpp's `load_hparams` for what that passes
/// over: heads of another size, stretched positions and windows.
package struct GGUFConfiguration {
    private let file: GGUFFile
    private let architecture: GGUFArchitecture

    /// - Throws: ``GGUFError``.
    package init(_ file: GGUFFile) throws {
        try GGUFAdapter.refuse(file)
        self.file = file
        architecture = try GGUFArchitecture(of: file)
    }

    /// The fields by their names in transformers.
    package func fields() throws -> [String: Any] {
        try refuseUnsupported()
        var fields: [String: Any] = try architecture == .gpt2 ? gpt2Fields() : llamaFields()
        fields["tie_word_embeddings"] = file.entry("output.weight") == nil
        if let vocabulary = try vocabularySize() { fields["vocab_size"] = vocabulary }
        if let beginning = try file.count("tokenizer.ggml.bos_token_id") {
            fields["bos_token_id"] = beginning
        }
        // The end of a turn ends an answer as the end of a text does.
        var ends: [Int] = []
        for key in ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"] {
            if let end = try file.count(key), !ends.contains(end) { ends.append(end) }
        }
        if let end = ends.first { fields["eos_token_id"] = ends.count == 1 ? end : ends as Any }
        return fields
    }

    private func key(_ name: String) -> String { "\(architecture.rawValue).\(name)" }

    private func vocabularySize() throws -> Int? {
        try file.count(key("vocab_size")) ?? file.entry("token_embd.weight")?.shape.first
    }

    private func gpt2Fields() throws -> [String: Any] {
        [
            "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"],
            "n_positions": try file.requiredCount(key("context_length")),
            "n_embd": try file.requiredCount(key("embedding_length")),
            "n_layer": try file.requiredCount(key("block_count")),
            "n_head": try file.requiredCount(key("attention.head_count")),
            "n_inner": try file.requiredCount(key("feed_forward_length")),
            "layer_norm_epsilon": try file.requiredNumber(key("attention.layer_norm_epsilon")),
        ]
    }

    private func llamaFields() throws -> [String: Any] {
        let heads = try file.requiredCount(key("attention.head_count"))
        var fields: [String: Any] = [
            "model_type": architecture.rawValue,
            "max_position_embeddings": try file.requiredCount(key("context_length")),
            "hidden_size": try file.requiredCount(key("embedding_length")),
            "num_hidden_layers": try file.requiredCount(key("block_count")),
            "intermediate_size": try file.requiredCount(key("feed_forward_length")),
            "num_attention_heads": heads,
            "num_key_value_heads": try file.count(key("attention.head_count_kv")) ?? heads,
            "rms_norm_eps": try file.requiredNumber(key("attention.layer_norm_rms_epsilon")),
            "rope_theta": try file.number(key("rope.freq_base")) ?? 10000,
        ]
        if let size = try headSize() { fields["head_dim"] = size }
        if let scaling = try GGUFRotaryScaling(file, key: key).fields(
            base: fields["rope_theta"] as? Double ?? 10000)
        {
            fields["rope_scaling"] = scaling
        }
        if let window = try file.count(key("attention.sliding_window")), window > 0 {
            guard architecture == .llama else {
                throw file.bad(
                    key("attention.sliding_window"), "is not supported for this architecture")
            }
            fields["model_type"] = "mistral"
            fields["sliding_window"] = window
        }
        fields["architectures"] = [
            ["llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"][
                fields["model_type"] as? String ?? "", default: ""] + "ForCausalLM"
        ]
        readBiases(&fields)
        return fields
    }

    /// The tensors say what the metadata does not.
    private func readBiases(_ fields: inout [String: Any]) {
        guard architecture != .qwen2 else { return }
        if file.entry("blk.0.attn_q.bias") != nil { fields["attention_bias"] = true }
        if architecture == .llama, file.entry("blk.0.ffn_up.bias") != nil {
            fields["mlp_bias"] = true
        }
    }

    /// The size of a head where it is given: of keys, of values and of what turns one and the same.
    private func headSize() throws -> Int? {
        let turning = try file.count(key("rope.dimension_count"))
        guard let size = try file.count(key("attention.key_length")) else { return turning }
        for (name, other) in [
            ("rope.dimension_count", turning),
            ("attention.value_length", try file.count(key("attention.value_length"))),
        ] {
            guard let other, other != size else { continue }
            throw file.bad(
                key(name),
                "is \(other), but should be \(size), the size of a head "
                    + "(\(key("attention.key_length")))")
        }
        return size
    }

    private func refuseUnsupported() throws {
        for name in ["expert_count", "expert_used_count", "full_attention_interval"] {
            if let count = try file.count(key(name)), count > 0 {
                throw file.bad(key(name), "is \(count); experts and mixed layers are not supported")
            }
        }
        for name in [
            "attention.max_alibi_bias", "attention.clamp_kqv", "logit_scale", "embedding_scale",
            "residual_scale", "attention.scale", "attn_logit_softcapping",
            "final_logit_softcapping",
        ] {
            if let number = try file.number(key(name)), number != 0, number != 1 {
                throw file.bad(key(name), "is \(number), which is not supported")
            }
        }
    }
}
