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

    @Option(help: "The model: a folder or org/name.", completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @Option(help: "A text to continue; may be given several times.")
    var prompt: [String] = []

    @Option(help: "A file of texts to continue, one a line.", completion: .file())
    var prompts: String?

    @Flag(
        help: """
            Continue prompts as they are, where they would be a user's turn in the chat template that the \
            adapter was trained with.
            """)
    var raw = false

    @Option(
        help: """
            Token ids to continue, with spaces; may be given several times. No tokenizer is needed, and \
            ids are printed.
            """)
    var ids: [String] = []

    @OptionGroup(title: "Conversations") var talk: ChatArguments

    @OptionGroup(title: "Choosing tokens") var choice: ChoiceOptions

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @OptionGroup(title: "Computing") var weights: WeightOptions

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
        if raw, prompt.isEmpty, prompts == nil {
            throw ValidationError("--raw goes with --prompt and --prompts")
        }
        if talk.chat, echo { throw ValidationError("--echo does not go with --chat") }
    }

    func run() throws {
        let device = try compute.apply()
        let sequences = try ids.map { try tokenIDs($0, "--ids") }
        let folder = try ModelFolder(source.model(model).url)
        let needsTokenizer = ids.isEmpty || !choice.stop.isEmpty
        let speech = TokenizerSource(
            model: folder.url, adapters: try adapters.sources.map(\.folder))
        let tokenizer = needsTokenizer ? try speech.load() : nil
        var template = try talk.isGiven ? talkTemplate(folder.url) : trainedTemplate(folder.url)
        if let tokenizer { template = template?.completed(by: tokenizer) }
        let texts = try texts(template)
        var options = try choice.options(folder: folder, tokenizer: tokenizer)
        if speech.isOfAdapter, let end = tokenizer?.endOfTextID, !choice.ignoresStopTokens {
            options.stopTokens += [end]
        }
        if let template, let tokenizer, !choice.ignoresStopTokens {
            options.stopTokens += try template.endOfTurn(tokenizer).map { [$0] } ?? []
        }
        let loaded = try load(folder.url, device)
        let generator = TextGenerator(
            model: try loaded.loaded.causalModel(),
            tokenizer: try tokenizer ?? options.tokenizerForStops(speech))
        if talk.chat, let template { return try hold(template, generator, options) }
        Interrupt.watch(saying: "stopping at the next token; once more stops at once")
        let isTalk = template != nil
        let encoded = try ids.isEmpty ? encode(texts, isTalk, generator) : sequences
        let speed = GenerationClock()
        if texts.count == 1, !json, options.beams == 1, options.returnedSequences == 1 {
            try stream(texts[0], encoded[0], isTalk, generator, options)
        } else {
            let generations = try generator.generate(
                ids: encoded, options, clock: speed, isCancelled: { Interrupt.happened })
            for generation in generations {
                try show(generation, texts, encoded, isTalk ? generator.tokenizer : nil)
            }
            note(speed.summary)
        }
        if Interrupt.happened { throw Interrupt.exitCode }
    }

    private func load(_ model: URL, _ device: Device) throws -> AdaptedModel {
        var options = ModelFolder.LoadOptions()
        options.computeType = compute.dtype.named
        options.device = device
        options.quantization = weights.quantize
        let loaded = try AdaptedModel.load(
            model: model, adapters: adapters.sources, options: options)
        for text in loaded.notes { note("note: \(text)") }
        options.computeTypeChoice.tell()
        return loaded
    }

    private func talkTemplate(_ model: URL) throws -> ChatTemplate {
        try talk.template.load(from: try adapters.sources.map(\.folder) + [model])
    }

    /// The template in whose words an adapter, or the model where it was trained whole, learnt to answer: a
    /// prompt is then a user's turn. nil for other models, whose prompts are continued as they are.
    private func trainedTemplate(_ model: URL) throws -> ChatTemplate? {
        guard !raw, ids.isEmpty else { return nil }
        let folders = try adapters.sources.map(\.folder)
        let trained = (folders.isEmpty ? [model] : folders).first {
            $0.answersInTemplate(isAdapter: !folders.isEmpty)
        }
        guard let trained,
            let template = try ChatTemplate.load(
                fromFirstOf: [trained, model].map(ModelFiles.init(of:)))
        else { return nil }
        note(
            "note: a prompt is a user's turn, in the chat template that \(trained.relativePath) was "
                + "trained with; --raw continues it as it is")
        return template
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
    private func encode(
        _ texts: [String], _ isTalk: Bool, _ generator: TextGenerator
    ) throws -> [[Int]] {
        guard isTalk, let tokenizer = generator.tokenizer else {
            return try generator.encode(texts)
        }
        return try texts.map { try tokenizer.encode($0, addingSpecialTokens: false).ids }
    }

    private func texts(_ template: ChatTemplate?) throws -> [String] {
        if let messages = talk.messages, let template {
            return try ConversationFile(messages).conversations.map {
                try template.checkWrites($0, variables: template.variables)
                return try template.render($0, addGenerationPrompt: true)
            }
        }
        let prompts = try prompts.map(lines) ?? prompt
        guard let template else { return prompts }
        return try prompts.map {
            try template.render(
                [ChatMessage(role: "user", content: $0)], addGenerationPrompt: true)
        }
    }

    /// The lines of a file of prompts.
    private func lines(of prompts: String) throws -> [String] {
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
        _ prompt: String, _ ids: [Int], _ isTalk: Bool, _ generator: TextGenerator,
        _ options: GenerationOptions
    ) throws {
        var pieces = try generator.stream(ids: ids, options).makeAsyncIterator()
        if echo { StandardOutput.write(prompt) }
        var isFirst = isTalk
        while var piece = try pieces.nextPiece(isCancelled: { Interrupt.happened }) {
            if isFirst { piece = answer(piece, pieces.ids, generator.tokenizer) }
            isFirst = false
            StandardOutput.write(piece)
        }
        print("")
        note(pieces.clock.summary)
    }

    /// What is made of a conversation is a message: it does not go on from the prompt's text.
    /// - Parameter tokenizer: nil for what is no conversation.
    private func answer(_ text: String, _ ids: [Int], _ tokenizer: Tokenizer?) -> String {
        guard let tokenizer else { return text }
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

extension URL {
    /// Whether what the folder has was trained on a chat template's words: a run says so, and an adapter of
    /// another package comes with a template.
    fileprivate func answersInTemplate(isAdapter: Bool) -> Bool {
        guard let files = try? ModelFiles(of: self), (try? ChatTemplate.load(from: files)) != nil
        else { return false }
        let result = appendingPathComponent("result.json")
        guard let data = try? Data(contentsOf: result),
            let run = try? JSONDecoder().decode(RunResult.self, from: data)
        else { return isAdapter }
        return run.usesChatTemplate ?? (run.task == "instruct")
    }
}

extension GenerationOptions {
    /// Stop strings that come from the model's folder need its tokenizer, even for ids.
    fileprivate func tokenizerForStops(_ source: TokenizerSource) throws -> Tokenizer? {
        stopStrings.isEmpty ? nil : try source.load()
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
