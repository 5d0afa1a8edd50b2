import DualJSON
import Foundation

/// The metadata that the fields of a `config.json` amount to.
struct GGUFConfigurationKeys {
    let architecture: GGUFArchitecture
    private let heads: (query: Int, key: Int)
    private(set) var keys: [(String, GGUFWriter.Value)] = []
    /// What LLaMA 3's rule divides each frequency by; nil for other positions.
    private(set) var rotaryFactors: [Float]?
    private let fields: [String: Any]
    private let file: String

    init(_ fields: [String: Any], file: String) throws {
        self.fields = fields
        self.file = file
        let layout = try GGUFLayout(fields, file: file)
        (architecture, heads) = (layout.architecture, layout.heads)
        if architecture == .gpt2 { try addGPT2() } else { try addLlama() }
    }

    // MARK: - Keys

    private mutating func set(_ name: String, _ value: GGUFWriter.Value) {
        keys.append(("\(architecture.rawValue).\(name)", value))
    }

    private mutating func set(_ name: String, count: Int) throws {
        guard let count = UInt32(exactly: count) else {
            throw GGUFError.badKey(name, file: file, reason: "is \(count), which is too large")
        }
        set(name, .count(count))
    }

    private func required(_ names: String...) throws -> Int {
        guard let value = names.lazy.compactMap({ fields[$0] as? Int }).first else {
            throw GGUFError.badKey(names[0], file: file, reason: "is missing or no whole number")
        }
        return value
    }

    private func number(_ fields: [String: Any], _ name: String) -> Double? {
        (fields[name] as? NSNumber)?.doubleValue ?? fields[name] as? Double
            ?? (fields[name] as? Int).map(Double.init)
    }

    private mutating func addGPT2() throws {
        let width = try required("n_embd", "hidden_size")
        try set("context_length", count: required("n_positions", "n_ctx"))
        try set("embedding_length", count: width)
        try set("feed_forward_length", count: fields["n_inner"] as? Int ?? 4 * width)
        try set("block_count", count: required("n_layer", "num_hidden_layers"))
        try set("attention.head_count", count: heads.query)
        set(
            "attention.layer_norm_epsilon",
            .number(Float(number(fields, "layer_norm_epsilon") ?? 1e-5)))
    }

    private mutating func addLlama() throws {
        let width = try required("hidden_size")
        let head =
            fields["head_dim"] as? Int ?? (architecture == .qwen3 ? 128 : width / heads.query)
        try set("block_count", count: required("num_hidden_layers"))
        try set("context_length", count: required("max_position_embeddings"))
        try set("embedding_length", count: width)
        try set("feed_forward_length", count: required("intermediate_size"))
        try set("attention.head_count", count: heads.query)
        try set("attention.head_count_kv", count: heads.key)
        set(
            "attention.layer_norm_rms_epsilon",
            .number(Float(number(fields, "rms_norm_eps") ?? 1e-6)))
        try addWindow()
        if architecture == .llama {
            try set("vocab_size", count: required("vocab_size"))
            try set("rope.dimension_count", count: head)
        }
        if fields["head_dim"] != nil || architecture == .qwen3 {
            try set("attention.key_length", count: head)
            try set("attention.value_length", count: head)
        }
        try addPositions(head: head)
    }

    /// llama.cpp's LLaMA sees all tokens before one, whatever the file says of a window; what is longer
    /// than Mistral's window has other outputs there.
    private mutating func addWindow() throws {
        if architecture != .llama {
            guard fields["use_sliding_window"] as? Bool ?? false else { return }
            throw GGUFError.badKey(
                "use_sliding_window", file: file,
                reason: "is true; the format has no windows for this architecture")
        }
        guard fields["model_type"] as? String == "mistral" else { return }
        let isGiven = fields["sliding_window"] != nil
        if let window = isGiven ? fields["sliding_window"] as? Int : 4096 {
            try set("attention.sliding_window", count: window)
        }
    }

    private mutating func addPositions(head: Int) throws {
        let rotary =
            fields["rope_scaling"] as? [String: Any] ?? fields["rope_parameters"] as? [String: Any]
            ?? [:]
        let base = number(rotary, "rope_theta") ?? number(fields, "rope_theta") ?? 10000
        set("rope.freq_base", .number(Float(base)))
        let type = rotary["rope_type"] as? String ?? rotary["type"] as? String ?? "default"
        let factor = number(rotary, "factor") ?? 1
        switch type {
        case "default": break
        case "linear", "yarn":
            set("rope.scaling.type", .text(type))
            set("rope.scaling.factor", .number(Float(factor)))
            guard type == "yarn" else { break }
            let length = rotary["original_max_position_embeddings"] as? Int
            try set(
                "rope.scaling.original_context_length",
                count: length ?? required("max_position_embeddings"))
            for name in ["beta_fast", "beta_slow"] {
                if let beta = number(rotary, name) {
                    set("rope.scaling.yarn_\(name)", .number(Float(beta)))
                }
            }
            // llama.cpp multiplies it by what transformers computes where it is not given.
            if let attention = number(rotary, "attention_factor") {
                let usual = factor <= 1 ? 1 : 0.1 * log(factor) + 1
                set("rope.scaling.yarn_attn_factor", .number(Float(attention / usual)))
            }
        case "llama3":
            let rule = LongRule(
                factor: factor, low: number(rotary, "low_freq_factor") ?? 1,
                high: number(rotary, "high_freq_factor") ?? 4,
                length: number(rotary, "original_max_position_embeddings") ?? 8192)
            rotaryFactors = stride(from: 0, to: head, by: 2).map {
                Float(rule.value(at: 2 * Double.pi * pow(base, Double($0) / Double(head))))
            }
        default:
            throw GGUFError.badKey(
                "rope_type", file: file,
                reason: "is \(type.excerpt()), which is not written as GGUF; these are: default, "
                    + "linear, llama3, yarn")
        }
    }
}
