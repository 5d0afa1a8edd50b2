import DualModels
import DualModules
import DualTokenization
import Foundation

extension GenerationOptions {
    /// The options that a model's folder asks for in `generation_config.json`, and transformers'
    /// defaults for the rest.
    ///
    /// A field that would change what is generated in a way that this
    /// package does not know is refused unless it is at its default, where it changes nothing; fields
    /// of encoder-decoder models, of caches and of what is printed are passed over.
    ///
    /// - Throws: ``ConfigurationError`` naming the file and the field.
    public init(folder: ModelFolder, tokenizer: Tokenizer? = nil) throws {
        self.init()
        if let file = try Self.file(in: folder) {
            try file.refuseUnknownBehaviour()
            try read(file)
        }
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
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        return try ConfigurationFile(url)
    }

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
        beams = try file.count("num_beams", from: 1) ?? 1
        lengthPenalty = try file.number("length_penalty", in: -100...100) ?? 1
        earlyStopping = try file.earlyStopping() ?? .heuristic
        returnedSequences = try file.count("num_return_sequences", from: 1) ?? 1
        stopStrings = try file.texts("stop_strings") ?? []
    }
}

extension ConfigurationFile {
    /// What a field must be, besides missing or null, to change nothing.
    private enum Neutral {
        case number(Double)
        case no
        case nothing
    }

    /// Fields that change what transformers generates and that have no counterpart here.
    private static let refused: [(String, Neutral)] = [
        ("num_beam_groups", .number(1)), ("diversity_penalty", .number(0)),
        ("penalty_alpha", .number(0)), ("typical_p", .number(1)), ("epsilon_cutoff", .number(0)),
        ("eta_cutoff", .number(0)), ("guidance_scale", .number(1)), ("min_length", .number(0)),
        ("renormalize_logits", .no), ("remove_invalid_values", .no), ("token_healing", .no),
        ("low_memory", .no), ("use_mtp", .no), ("top_h", .nothing), ("dola_layers", .nothing),
        ("constraints", .nothing), ("force_words_ids", .nothing), ("bad_words_ids", .nothing),
        ("forced_bos_token_id", .nothing), ("forced_eos_token_id", .nothing),
        ("exponential_decay_length_penalty", .nothing), ("suppress_tokens", .nothing),
        ("begin_suppress_tokens", .nothing), ("sequence_bias", .nothing),
        ("watermarking_config", .nothing), ("max_time", .nothing),
        ("prompt_lookup_num_tokens", .nothing),
    ]

    fileprivate func refuseUnknownBehaviour() throws {
        for (key, neutral) in Self.refused {
            guard let value = fields[key] else { continue }
            switch neutral {
            case .number(let number):
                guard try self.number(key) != number else { continue }
                throw bad(
                    key, found: "\(value)", expected: "\(number) or missing: it is not supported")
            case .no:
                guard try flag(key) ?? false else { continue }
                throw bad(key, found: "true", expected: "false or missing: it is not supported")
            case .nothing:
                if let list = value as? [Any], list.isEmpty { continue }
                throw bad(key, found: "\(value)", expected: "missing: it is not supported")
            }
        }
    }

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
