import DualModels
import DualModules
import DualTokenization
import DualTorch
import Foundation

extension GenerationOptions {
    /// The options that a model's folder asks for in `generation_config.json`, or without one in
    /// `config.json`, and transformers' defaults for the rest.
    ///
    /// A field that would change what is generated in a way that this
    /// package does not know is refused unless it is at its default, where it changes nothing; fields
    /// of encoder-decoder models, of caches and of what is printed are passed over.
    ///
    /// - Throws: ``ConfigurationError`` naming the file and the field.
    public init(folder: ModelFolder, tokenizer: Tokenizer? = nil) throws {
        self.init()
        let file = try Self.file(in: folder) ?? folder.configuration
        try file.refuse(Self.unsupported)
        try read(file)
        stopTokens = try Self.stopTokens(of: folder, tokenizer: tokenizer)
    }

    /// The tokens that end a text: those of `generation_config.json`, else of `config.json`, else the
    /// tokenizer's `eos_token`.
    /// - Throws: ``ConfigurationError`` naming the file and the field.
    public static func stopTokens(of folder: ModelFolder, tokenizer: Tokenizer?) throws -> [Int] {
        try file(in: folder)?.tokenIDs("eos_token_id")
            ?? folder.configuration.tokenIDs("eos_token_id")
            ?? tokenizer?.endOfTextID.map { [$0] } ?? []
    }

    private static func file(in folder: ModelFolder) throws -> ConfigurationFile? {
        let url = folder.url.appendingPathComponent("generation_config.json")
        guard FileManager.default.hasEntry(url) else { return nil }
        return try ConfigurationFile(url)
    }

    /// Keys that change what transformers generates and that have no counterpart here.
    private static let unsupported: [UnsupportedKey] =
        [
            ("num_beam_groups", 1), ("diversity_penalty", 0), ("penalty_alpha", 0),
            ("typical_p", 1), ("epsilon_cutoff", 0), ("eta_cutoff", 0), ("guidance_scale", 1),
            ("min_length", 0),
        ].map { UnsupportedKey($0, unless: .number($1)) }
        + [
            "renormalize_logits", "remove_invalid_values", "token_healing", "low_memory", "use_mtp",
            "is_assistant", "force_bos_token_to_be_generated",
        ].map { UnsupportedKey($0, unless: .no) }
        + [
            "top_h", "dola_layers", "constraints", "force_words_ids", "bad_words_ids",
            "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty",
            "suppress_tokens", "begin_suppress_tokens", "sequence_bias", "watermarking_config",
            "max_time", "prompt_lookup_num_tokens", "assistant_early_exit", "speculation_type",
        ].map { UnsupportedKey($0, unless: .nothing) }
        // A cache of other numbers than those that attention computes.
        + [
            UnsupportedKey(
                "cache_implementation",
                unless: .texts([
                    "dynamic", "dynamic_full", "static", "hybrid", "hybrid_chunked", "offloaded",
                    "offloaded_static", "offloaded_hybrid", "offloaded_hybrid_chunked",
                    "sliding_window", "paged",
                ]))
        ]

    private mutating func read(_ file: ConfigurationFile) throws {
        maximumNewTokens = try file.count("max_new_tokens", from: 1)
        maximumLength = try file.count("max_length", from: 1)
        minimumNewTokens = try file.count("min_new_tokens", from: 0) ?? 0
        sampling = try file.flag("do_sample") ?? false
        temperature = try file.number("temperature", in: 0...(.greatestFiniteMagnitude)) ?? 1
        topK = try file.count("top_k", from: 0) ?? topK
        topP = try file.number("top_p", in: Double.leastNormalMagnitude...1) ?? 1
        minP = try file.number("min_p", in: 0...1) ?? 0
        repetitionPenalty =
            try file.number(
                "repetition_penalty", in: .leastNormalMagnitude...(.greatestFiniteMagnitude)) ?? 1
        noRepeatNGram = try file.count("no_repeat_ngram_size", from: 0) ?? 0
        encoderRepetitionPenalty =
            try file.number(
                "encoder_repetition_penalty",
                in: .leastNormalMagnitude...(.greatestFiniteMagnitude)) ?? 1
        encoderNoRepeatNGram = try file.count("encoder_no_repeat_ngram_size", from: 0) ?? 0
        beams = try file.count("num_beams", from: 1) ?? 1
        lengthPenalty = try file.number("length_penalty", in: -100...100) ?? 1
        earlyStopping = try file.earlyStopping() ?? .heuristic
        returnedSequences = try file.count("num_return_sequences", from: 1) ?? 1
        stopStrings = try file.texts("stop_strings") ?? []
    }
}

extension ConfigurationFile {
    fileprivate func count(_ key: String, from low: Int) throws -> Int? {
        guard let value = try integer(key) else { return nil }
        guard value >= low else {
            throw bad(key, found: "\(value)", expected: "at least \(low)")
        }
        return value
    }

    fileprivate func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        guard let value = try number(key) else { return nil }
        guard range.contains(value) else {
            throw bad(
                key, found: "\(value)",
                expected: "from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// One token id or several.
    fileprivate func tokenIDs(_ key: String) throws -> [Int]? {
        guard let value = fields[key] else { return nil }
        let ids = try value is [Any] ? value as? [Int] : integer(key).map { [$0] }
        guard let ids, ids.allSatisfy({ $0 >= 0 }) else {
            throw bad(key, found: "\(value)", expected: "a token id or a list of them")
        }
        return ids
    }

    fileprivate func texts(_ key: String) throws -> [String]? {
        guard let value = fields[key] else { return nil }
        if let text = value as? String { return [text] }
        guard let texts = value as? [String] else {
            throw bad(key, found: "\(value)", expected: "a text or a list of them")
        }
        return texts
    }

    fileprivate func earlyStopping() throws -> EarlyStopping? {
        guard let value = fields["early_stopping"] else { return nil }
        if value is String {
            guard try text("early_stopping") == "never" else {
                throw bad(
                    "early_stopping", found: "\(value)", expected: "true, false or \"never\"")
            }
            return .never
        }
        return try flag("early_stopping") ?? false ? .whenFull : .heuristic
    }
}
