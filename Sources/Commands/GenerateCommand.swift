import ArgumentParser
import FineTuning
import Foundation

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Continue texts with a model.",
        discussion: """
            What is not said here is taken from the model's generation_config.json. Without sampling the \
            most probable token follows each time, or the search's best beam. One prompt is printed as it \
            is made; the speed is noted on standard error.

            Example:
              duallora generate --model llama --prompt "Once upon a time" --max-tokens 64
              duallora generate --model gpt2 --adapter out --prompts prompts.txt --beams 10 \\
                --length-penalty 0.8 --no-repeat-ngram 4 --json
              duallora generate --model llama --ids "1 15043 29892" --temperature 0.7 --top-p 0.9
              duallora generate --model qwen --adapter out --chat --system "Be brief."
              duallora generate --model qwen --messages talks.jsonl --max-tokens 64 --json
            """)

    @Option(help: "The model: a folder or org/name.")
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @Option(help: "A text to continue; may be given several times.")
    var prompt: [String] = []

    @Option(help: "A file of texts to continue, one a line.")
    var prompts: String?

    @Option(
        help: """
            Token ids to continue, with spaces; may be given several times. No tokenizer is needed, and \
            ids are printed.
            """)
    var ids: [String] = []

    @OptionGroup(title: "Conversations") var talk: ChatArguments

    @OptionGroup(title: "Choosing tokens") var choice: ChoiceOptions

    @Option(
        help: ArgumentHelp(
            "Compute in \(DType.allValueStrings.joined(separator: ", ")).", valueName: "type"))
    var dtype = DType.bfloat16

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Flag(help: "Print one JSON object a continuation, with its prompt, text, ids and end.")
    var json = false

    @Flag(help: "Print the prompt before its continuation.")
    var echo = false

    func validate() throws {
        let kinds = [!prompt.isEmpty, prompts != nil, !ids.isEmpty, talk.isGiven].filter { $0 }
        if kinds.count != 1 {
            throw ValidationError("give one of --prompt, --prompts, --ids, --messages and --chat")
        }
        try talk.check()
        if talk.chat, choice.ignoresStopTokens {
            throw ValidationError("--ignore-stop-tokens does not go with --chat")
        }
        if talk.chat, echo { throw ValidationError("--echo does not go with --chat") }
    }

    func run() throws {
        let device = try compute.apply()
        let sequences = try ids.map { try tokenIDs($0, "--ids") }
        let folder = try ModelFolder(source.model(model).url)
        let template = try talk.isGiven ? talkTemplate(folder.url) : nil
        let texts = try texts(template)
        let needsTokenizer = ids.isEmpty || !choice.stop.isEmpty
        let tokenizer = needsTokenizer ? try Tokenizer.load(from: folder.url) : nil
        var options = try choice.options(folder: folder, tokenizer: tokenizer)
        if let template, let tokenizer, !choice.ignoresStopTokens {
            options.stopTokens += try template.endOfTurn(tokenizer).map { [$0] } ?? []
        }
        let loaded = try load(folder.url, device)
        let generator = TextGenerator(
            model: try loaded.loaded.causalModel(),
            tokenizer: try tokenizer ?? options.tokenizerForStops(in: folder))
        if talk.chat, let template { return try hold(template, generator, options) }
        Interrupt.watch(saying: "stopping at the next token; once more stops at once")
        let encoded = try ids.isEmpty ? encode(texts, generator) : sequences
        let speed = GenerationClock()
        if texts.count == 1, !json, options.beams == 1, options.returnedSequences == 1 {
            try stream(texts[0], encoded[0], generator, options)
        } else {
            let generations = try generator.generate(
                ids: encoded, options, clock: speed, isCancelled: { Interrupt.happened })
            for generation in generations {
                try show(generation, texts, encoded, generator.tokenizer)
            }
            note(speed.summary)
        }
        if Interrupt.happened { throw Interrupt.exitCode }
    }

    private func load(_ model: URL, _ device: Device) throws -> AdaptedModel {
        var options = ModelFolder.LoadOptions()
        options.computeType = dtype
        options.device = device
        let loaded = try AdaptedModel.load(
            model: model, adapters: adapters.sources, options: options)
        for text in loaded.notes { note("note: \(text)") }
        return loaded
    }

    private func talkTemplate(_ model: URL) throws -> ChatTemplate {
        try talk.template.load(from: try adapters.sources.map(\.folder) + [model])
    }

    private func hold(
        _ template: ChatTemplate, _ generator: TextGenerator, _ options: GenerationOptions
    ) throws {
        let conversation = try Conversation(
            with: generator, template: template, options: options, system: talk.system)
        var session = ChatSession(conversation, json: json)
        try session.run()
    }

    /// A conversation's text has its special tokens in it; another gets those of the tokenizer.
    private func encode(_ texts: [String], _ generator: TextGenerator) throws -> [[Int]] {
        guard talk.messages != nil, let tokenizer = generator.tokenizer else {
            return try generator.encode(texts)
        }
        return try texts.map { try tokenizer.encode($0, addingSpecialTokens: false).ids }
    }

    private func texts(_ template: ChatTemplate?) throws -> [String] {
        if let messages = talk.messages, let template {
            return try ConversationFile(messages).conversations.map {
                try template.render($0, addGenerationPrompt: true)
            }
        }
        guard let prompts else { return prompt }
        let data = try bytes(of: prompts)
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandError("\(prompts) is not UTF-8 text")
        }
        var lines = text.split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" })
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        guard !lines.isEmpty else { throw CommandError("\(prompts) has no prompt in it") }
        return lines.map(String.init)
    }

    private func stream(
        _ prompt: String, _ ids: [Int], _ generator: TextGenerator, _ options: GenerationOptions
    ) throws {
        var pieces = try generator.stream(ids: ids, options).makeAsyncIterator()
        if echo { StandardOutput.write(prompt) }
        var isFirst = talk.messages != nil
        while var piece = try pieces.nextPiece(isCancelled: { Interrupt.happened }) {
            if isFirst { piece = answer(piece, pieces.ids, generator.tokenizer) }
            isFirst = false
            StandardOutput.write(piece)
        }
        print("")
        note(pieces.clock.summary)
    }

    /// What is made of a conversation is a message: it does not go on from the prompt's text.
    private func answer(_ text: String, _ ids: [Int], _ tokenizer: Tokenizer?) -> String {
        guard talk.messages != nil, let tokenizer else { return text }
        return tokenizer.standingAlone(text, ids)
    }

    private func show(
        _ generation: Generation, _ texts: [String], _ encoded: [[Int]], _ tokenizer: Tokenizer?
    ) throws {
        let spelled = { (ids: [Int]) in ids.map(String.init).joined(separator: " ") }
        let isText = !texts.isEmpty
        let prompt = isText ? texts[generation.prompt] : spelled(encoded[generation.prompt])
        guard json else {
            let text =
                isText
                ? answer(generation.text ?? "", generation.ids, tokenizer) : spelled(generation.ids)
            return print(echo ? prompt + (isText ? "" : " ") + text : text)
        }
        var fields: [String: Any] = [
            "prompt": prompt,
            "text": generation.text.map { answer($0, generation.ids, tokenizer) } ?? NSNull(),
            "ids": generation.ids,
            "finish": generation.finish.rawValue, "tokens": generation.tokens,
        ]
        if let score = generation.score { fields["score"] = jsonNumber(score) }
        try printJSON(fields)
    }
}

extension GenerationOptions {
    /// Stop strings that come from the model's folder need its tokenizer, even for ids.
    fileprivate func tokenizerForStops(in folder: ModelFolder) throws -> Tokenizer? {
        stopStrings.isEmpty ? nil : try Tokenizer.load(from: folder.url)
    }
}

extension GenerationClock {
    /// Tokens a second, of prompts and of what was generated.
    fileprivate var summary: String {
        func speed(_ tokens: Int, _ seconds: Double) -> String {
            let rate = seconds > 0 ? Double(tokens) / seconds : 0
            return String(
                format: "%d tokens in %.4f s, %.1f tokens/s", tokens, seconds, rate)
        }
        return "note: prompt: \(speed(promptTokens, promptSeconds)); "
            + "new: \(speed(newTokens, newSeconds))"
    }
}
