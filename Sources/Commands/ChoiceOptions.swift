import ArgumentParser
import FineTuning

extension EarlyStopping: ExpressibleByArgument {}

/// How `generate` chooses tokens; what is nil is taken from the model's generation_config.json.
struct ChoiceOptions: ParsableArguments {
    @Option(
        name: .customLong("max-tokens"),
        help: "The most tokens to generate; 20 where the model's folder does not say.")
    var maximumTokens: Int?

    @Option(name: .customLong("min-tokens"), help: "The fewest tokens before a stop token.")
    var minimumTokens: Int?

    @Option(help: "Draw tokens, from scores divided by this; 0 takes the most probable.")
    var temperature: Double?

    @Option(name: .customLong("top-k"), help: "Draw among so many of the most probable; 0 for all.")
    var topK: Int?

    @Option(
        name: .customLong("top-p"),
        help: "Draw among the fewest whose probabilities reach this share.")
    var topP: Double?

    @Option(
        name: .customLong("min-p"), help: "Draw among those at least so probable, as a share.")
    var minP: Double?

    @Option(help: "Make tokens less probable that came already; 1 does not.")
    var repetitionPenalty: Double?

    @Option(help: "Search along so many continuations for the most probable.")
    var beams: Int?

    @Option(
        parsing: .unconditional, help: "Divide a beam's score by its length to this power.")
    var lengthPenalty: Double?

    @Option(
        help:
            "End a beam search at as many finished beams (true), by the best score (false), or late (never)."
    )
    var earlyStopping: EarlyStopping?

    @Option(
        name: .customLong("no-repeat-ngram"),
        help: "Let no sequence of so many tokens come twice; 0 allows it.")
    var noRepeatNGram: Int?

    @Option(
        name: .customLong("return"), help: "Continuations of each prompt: best beams, or draws.")
    var returned: Int?

    @Option(
        parsing: .unconditionalSingleValue,
        help: "End before this text; may be given several times.")
    var stop: [String] = []

    @Flag(name: .customLong("ignore-stop-tokens"), help: "Go on behind the model's stop tokens.")
    var ignoresStopTokens = false

    @Option(help: "Prompts to continue at a time.")
    var batchSize = 8

    @Option(help: "Decides the draws.")
    var seed: UInt64 = 0

    /// The options of the model's folder with what the user says in their place.
    func options(folder: ModelFolder, tokenizer: Tokenizer?) throws -> GenerationOptions {
        var options = try GenerationOptions(folder: folder, tokenizer: tokenizer)
        func set<Value>(_ path: WritableKeyPath<GenerationOptions, Value>, _ value: Value?) {
            if let value { options[keyPath: path] = value }
        }
        if let maximumTokens { options.maximumNewTokens = maximumTokens }
        set(\.minimumNewTokens, minimumTokens)
        set(\.temperature, temperature)
        set(\.topK, topK)
        set(\.topP, topP)
        set(\.minP, minP)
        set(\.repetitionPenalty, repetitionPenalty)
        set(\.beams, beams)
        set(\.lengthPenalty, lengthPenalty)
        set(\.earlyStopping, earlyStopping)
        set(\.noRepeatNGram, noRepeatNGram)
        set(\.returnedSequences, returned)
        if temperature != nil || topK != nil || topP != nil || minP != nil {
            options.sampling = true
        }
        if !stop.isEmpty { options.stopStrings = stop }
        if ignoresStopTokens { options.stopTokens = [] }
        options.batchSize = batchSize
        options.seed = seed
        try options.check()
        return options
    }
}
