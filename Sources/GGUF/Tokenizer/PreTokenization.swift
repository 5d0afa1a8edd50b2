import DualJSON

/// How a text is cut before its byte pairs are merged, by the name that `tokenizer.ggml.pre` has for it.
///
/// The table is llama.cpp's (`llama_vocab::impl::load`), the patterns are those of the models' own
/// `tokenizer.json` where llama.cpp spells them for its engine.
struct PreTokenization {
    let names: [String]
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

    static let all: [PreTokenization] = [
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
                "\\s?[!-/:-~\u{FF01}-\u{FF0F}\u{FF1A}-\u{FF5E}\u{2018}-\u{201F}\u{3000}-\u{3002}]+",
                #"\s+$"#, han + "+", #"\p{N}+"#,
            ]),
        PreTokenization(
            names: ["deepseek-coder"],
            patterns: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, han + "+", #"\p{N}"#]),
        PreTokenization(
            names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
            patterns: [
                #"\p{N}{1,3}"#, "[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+",
                ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##
                    + #"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"#
                    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            ]),
        PreTokenization(
            names: ["poro-chat", "bloom", "gpt3-finnish"],
            patterns: [exceptPunctuation]),
        PreTokenization(
            names: ["viking"], patterns: [exceptPunctuation, #"\p{N}"#]),
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

    /// BLOOM's pattern.
    private static let exceptPunctuation =
        " ?[^(\\s|.,!?\u{2026}\u{3002}\u{FF0C}\u{3001}\u{964}\u{6D4}\u{60C})]+"

    private static let han = "[\u{4E00}-\u{9FA5}\u{800}-\u{4E00}\u{AC00}-\u{D7FF}]"

    /// Letters that have a case, as DeepSeek's `tokenizer.json` lists them.
    private static let casedLetters =
        "A-Za-z\u{B5}\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{1BA}\u{1BC}-\u{1BF}\u{1C4}-\u{293}"
        + "\u{295}-\u{2AF}\u{370}-\u{373}\u{376}\u{377}\u{37B}-\u{37D}\u{37F}\u{386}"
        + "\u{388}-\u{38A}\u{38C}\u{38E}-\u{3A1}\u{3A3}-\u{3F5}\u{3F7}-\u{481}\u{48A}-\u{52F}"
        + "\u{531}-\u{556}\u{10A0}-\u{10C5}\u{13A0}-\u{13F5}\u{13F8}-\u{13FD}\u{1C90}-\u{1CBA}"
        + "\u{1CBD}-\u{1CBF}\u{1D00}-\u{1D2B}\u{1D6B}-\u{1D77}\u{1D79}-\u{1D9A}"
        + "\u{1E00}-\u{1F15}\u{1F18}-\u{1F1D}\u{1F20}-\u{1F45}\u{1F48}-\u{1F4D}"
        + "\u{1F50}-\u{1F57}\u{1F59}\u{1F5B}\u{1F5D}\u{1F5F}-\u{1F7D}\u{1F80}-\u{1FB4}"
        + "\u{1FB6}-\u{1FBC}\u{1FBE}\u{1FC2}-\u{1FC4}\u{1FC6}-\u{1FCC}\u{1FD0}-\u{1FD3}"
        + "\u{1FD6}-\u{1FDB}\u{1FE0}-\u{1FEC}\u{1FF2}-\u{1FF4}\u{1FF6}-\u{1FFC}\u{2102}\u{2107}"
        + "\u{210A}-\u{2113}\u{2115}\u{2119}-\u{211D}\u{2124}\u{2126}\u{2128}\u{212A}-\u{212D}"
        + "\u{212F}-\u{2134}\u{2139}\u{213C}-\u{213F}\u{2145}-\u{2149}\u{214E}\u{2183}\u{2184}"
        + "\u{2C00}-\u{2C7B}\u{2C7E}-\u{2CE4}\u{2CEB}-\u{2CEE}\u{2CF2}\u{2CF3}\u{A640}-\u{A66D}"
        + "\u{A680}-\u{A69B}\u{A722}-\u{A76F}\u{A771}-\u{A787}\u{A78B}-\u{A78E}"
        + "\u{AB70}-\u{ABBF}\u{FB00}-\u{FB06}\u{FB13}-\u{FB17}\u{FF21}-\u{FF3A}"
        + "\u{FF41}-\u{FF5A}\u{10400}-\u{1044F}\u{104B0}-\u{104D3}\u{104D8}-\u{104FB}"
        + "\u{10C80}-\u{10CB2}\u{10CC0}-\u{10CF2}\u{118A0}-\u{118DF}\u{1E900}-\u{1E943}"
}
