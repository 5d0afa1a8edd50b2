import DualJSON

/// How a text is cut before its byte pairs are merged, by the name that `tokenizer.ggml.pre` has for it.
///
/// The table is llama.cpp's (`llama_vocab::impl::load`), the patterns are those of the models' own
/// `tokenizer.json` where llama.cpp spells them for its engine.
struct PreTokenization {
    private let names: [String]
    /// Stages at whose matches a text is cut, one behind the other.
    private let patterns: [String]
    /// Whether GPT-2's pattern comes last.
    private var endsAsGPT2 = false
    /// Whether each digit, of any script, stands alone.
    private var separatesDigits = false
    /// Whether a word that is a token is not merged.
    private(set) var ignoresMerges = false
    /// Whether a text begins with the token for that where the file does not say.
    private(set) var addsBeginning = false
    /// Whether a letter and its marks become one character.
    private(set) var composes = false

    private static let key = "tokenizer.ggml.pre"

    static func of(_ file: GGUFFile) throws -> PreTokenization {
        let name = try file.text(key) ?? "default"
        guard let known = all.first(where: { $0.names.contains(name) }) else {
            let names = all.flatMap(\.names).sorted().joined(separator: ", ")
            throw file.bad(
                key, "is \(name.excerpt()), which is not supported; supported: \(names)")
        }
        return known
    }

    /// The `pre_tokenizer` of `tokenizer.json`.
    var field: JSONLine {
        var stages: [JSONLine] = []
        if separatesDigits {
            var digits = JSONLine()
            digits.set("type", "Digits")
            digits.set("individual_digits", true)
            stages.append(digits)
        }
        stages += patterns.map(Self.split)
        stages.append(Self.byteLevel(usesPattern: endsAsGPT2))
        if stages.count == 1 { return stages[0] }
        var sequence = JSONLine()
        sequence.set("type", "Sequence")
        sequence.set("pretokenizers", stages)
        return sequence
    }

    private static func split(at pattern: String) -> JSONLine {
        var regex = JSONLine()
        regex.set("Regex", pattern)
        var split = JSONLine()
        split.set("type", "Split")
        split.set("pattern", regex)
        split.set("behavior", "Isolated")
        split.set("invert", false)
        return split
    }

    static func byteLevel(usesPattern: Bool) -> JSONLine {
        var stage = JSONLine()
        stage.set("type", "ByteLevel")
        stage.set("add_prefix_space", false)
        stage.set("trim_offsets", true)
        stage.set("use_regex", usesPattern)
        return stage
    }

    // MARK: - The table

    private static let all: [PreTokenization] = [
        PreTokenization(
            names: [
                "default", "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es",
                "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "exaone4", "mpt", "olmo", "jais",
                "trillion", "granite-docling",
            ], patterns: [], endsAsGPT2: true),
        PreTokenization(
            names: [
                "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b",
                "mellum2",
            ], patterns: [], endsAsGPT2: true, separatesDigits: true),
        PreTokenization(
            names: [
                "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
                "lfm2", "jina-v5-nano",
            ], patterns: [words(digits: "{1,3}")], ignoresMerges: true, addsBeginning: true),
        PreTokenization(
            names: ["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"],
            patterns: [words(digits: "{1,3}")]),
        PreTokenization(
            names: ["qwen2", "megrez"], patterns: [words(digits: "")], composes: true),
        PreTokenization(
            names: [
                "deepseek-r1-qwen", "stablelm2", "hunyuan", "solar-open", "grok-2", "kormo",
                "f2llmv2",
            ], patterns: [words(digits: "")]),
        PreTokenization(
            names: ["qwen35"],
            patterns: [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"#
                    + #"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ], composes: true),
        PreTokenization(
            names: ["tekken"], patterns: [casedWords(ending: "", digits: "")],
            ignoresMerges: true, addsBeginning: true),
        PreTokenization(
            names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
            patterns: [casedWords(ending: "(?i:'s|'t|'re|'ve|'m|'ll|'d)?", digits: "{1,3}")]),
        PreTokenization(
            names: ["deepseek-llm"],
            patterns: [
                #"[\r\n]"#, #"\s?["# + casedLetters + "]+",
                #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#, han + "+", #"\p{N}+"#,
            ]),
        PreTokenization(
            names: ["deepseek-coder"],
            patterns: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, han + "+", #"\p{N}"#]),
        PreTokenization(
            names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
            patterns: [
                #"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+",
                ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##
                    + #"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"#
                    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            ]),
        PreTokenization(
            names: ["poro-chat", "bloom", "gpt3-finnish"],
            patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#]),
        PreTokenization(
            names: ["viking"], patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#, #"\p{N}"#]),
        PreTokenization(
            names: ["seed-coder"],
            patterns: [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}"#
                    + #"| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]),
    ]

    /// GPT-4's pattern, with as many digits in a number as the quantifier says.
    private static func words(digits: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The pattern of Tekken and of GPT-4o, which cuts where capitals begin.
    private static func casedWords(ending: String, digits: String) -> String {
        let (upper, lower) = (#"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#, #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#)
        return #"[^\r\n\p{L}\p{N}]?\#(upper)*\#(lower)+\#(ending)"#
            + #"|[^\r\n\p{L}\p{N}]?\#(upper)+\#(lower)*\#(ending)"#
            + #"|\p{N}\#(digits)| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    private static let han = "[一-龥ࠀ-一가-퟿]"

    /// Letters that have a case, as DeepSeek's `tokenizer.json` lists them.
    private static let casedLetters =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ"
        + "Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ"
        + "Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
