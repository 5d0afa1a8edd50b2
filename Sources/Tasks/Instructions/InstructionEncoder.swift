import DualChat
import DualDatasets
import DualTokenization
import DualTraining

/// Puts examples into the words that a model is to see, and those into tokens.
struct InstructionEncoder {
    private let task: InstructionTraining
    private let encoder: TaskEncoder

    /// What instructions are put into words with: the model's template, else Alpaca's.
    let template: ChatTemplate

    init(_ task: InstructionTraining, _ encoder: TaskEncoder) throws {
        self.task = task
        self.encoder = encoder
        template =
            try encoder.template
            ?? BuiltInTemplate.alpaca.template(specialTokens: encoder.tokenizer.textEnds)
    }

    /// Encoded examples, and what became of the others.
    struct Encoded {
        var examples: [CompletionExample] = []
        /// Rows that could not be used, as messages.
        var skipped: [String]
        /// Examples with more tokens than there may be.
        var tooLong = 0
        /// Examples of which nothing is left to learn.
        var empty = 0
    }

    /// - Throws: ``CompletionDataError``, unless the task skips bad rows.
    func encode(_ contents: InstructionFiles.Contents) throws -> Encoded {
        var encoded = Encoded(skipped: contents.skipped)
        for example in contents.examples {
            do {
                for text in try texts(example) {
                    add(try text.encode(with: encoder.tokenizer), to: &encoded)
                }
            } catch CompletionDataError.noTemplate(let place) {
                throw CompletionDataError.noTemplate(place: place)
            } catch {
                guard task.files.skipsBadRows else { throw placed(error, example) }
                encoded.skipped.append(placed(error, example).description)
            }
        }
        guard encoded.examples.isEmpty, !contents.examples.isEmpty else { return encoded }
        let usable = contents.examples.count + contents.skipped.count - encoded.skipped.count
        if usable == 0, let first = encoded.skipped.first {
            throw CompletionDataError.onlyBadRows(count: encoded.skipped.count, first: first)
        }
        throw CompletionDataError.nothingLearnt(examples: usable, limit: encoder.maximumLength)
    }

    private func placed(
        _ error: any Error, _ example: InstructionFiles.PlacedExample
    ) -> CompletionDataError {
        .badExample(place: example.place, reason: "\(error)")
    }

    private func add(_ example: CompletionExample, to encoded: inout Encoded) {
        var example = example
        if example.ids.count > encoder.maximumLength {
            encoded.tooLong += 1
            guard let cut = cut(example) else { return }
            example = cut
        }
        if example.trainedCount > 0 {
            encoded.examples.append(example)
        } else {
            encoded.empty += 1
        }
    }

    /// An example that has too many tokens, with as many as there may be; nil where it is left out.
    private func cut(_ example: CompletionExample) -> CompletionExample? {
        let (count, limit) = (example.ids.count, encoder.maximumLength)
        let kept: [Int]
        switch task.truncation {
        case .drop: return nil
        case .end: kept = Array(0..<limit)
        case .start:
            let beginsText = example.ids.first == encoder.tokenizer.beginningOfTextID
            kept =
                beginsText
                ? [0] + Array((count - limit + 1)..<count) : Array((count - limit)..<count)
        }
        return CompletionExample(
            ids: kept.map { example.ids[$0] }, isTrained: kept.map { example.isTrained[$0] },
            uncutLength: count)
    }

    // MARK: - Words

    private func texts(_ placed: InstructionFiles.PlacedExample) throws -> [LearntText] {
        let learnsAll = task.learnt == .everything
        switch placed.example {
        case .text(let text):
            return [framed([.init(text: text, isLearnt: true)])]
        case .completion(let prompt, let completion):
            return [
                framed(
                    [
                        .init(text: prompt, isLearnt: learnsAll),
                        .init(text: completion, isLearnt: true),
                    ])
            ]
        case .instruction(let instruction):
            return try conversation(instruction.turns(for: template))
        case .conversation(let turns):
            guard encoder.template != nil else {
                throw CompletionDataError.noTemplate(place: placed.place)
            }
            return try conversation(turns)
        }
    }

    private func framed(_ parts: [LearntText.Part]) -> LearntText {
        LearntText(parts: parts.filter { !$0.text.isEmpty }, isFramed: true, isEnded: true)
    }

    private func conversation(_ turns: [ChatTurn]) throws -> [LearntText] {
        try ConversationText(
            template: template, onlyLast: task.learnt == .lastResponse,
            learnsAll: task.learnt == .everything
        ).texts(turns)
    }
}

extension InstructionEncoder.Encoded {
    /// What the user should know of the data.
    func notes(_ truncation: InstructionTraining.Truncation, limit: Int) -> [String] {
        var notes: [String] = []
        if let first = skipped.first {
            notes.append(
                skipped.count == 1
                    ? "1 row cannot be used and is left out: \(first)"
                    : "\(skipped.count) rows cannot be used and are left out; the first: \(first)")
        }
        if tooLong > 0 {
            let fate =
                switch truncation {
                case .end: "cut at their end"
                case .start: "cut at their beginning"
                case .drop: "left out"
                }
            notes.append("\(tooLong) examples of more than \(limit) tokens are \(fate)")
        }
        if empty > 0 {
            notes.append("\(empty) examples have nothing left to learn and are left out")
        }
        return notes
    }
}

extension Instruction {
    /// The instruction as a conversation.
    func turns(for template: ChatTemplate) -> [ChatTurn] {
        let hasHeading = template.source.contains("### Input:")
        let joint = hasHeading ? BuiltInTemplate.inputHeading : "\n"
        let question = input.isEmpty ? instruction : instruction + joint + input
        let asked = [
            ChatTurn(ChatMessage(role: "user", content: question), isLearnt: false),
            ChatTurn(ChatMessage(role: "assistant", content: output), isLearnt: true),
        ]
        guard let system else { return asked }
        return [ChatTurn(ChatMessage(role: "system", content: system), isLearnt: false)] + asked
    }
}

extension Tokenizer {
    /// The tokens that begin and end a text, by the names that templates have for them.
    fileprivate var textEnds: [String: String] {
        var tokens: [String: String] = [:]
        tokens["bos_token"] = beginningOfTextID.flatMap { token(for: $0) }
        tokens["eos_token"] = endOfTextID.flatMap { token(for: $0) }
        return tokens
    }
}
