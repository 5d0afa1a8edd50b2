import DualChat
import DualDatasets
import DualTokenization
import DualTraining
import Foundation

/// Puts examples into the words that a model is to see, and those into tokens.
struct InstructionEncoder: Sendable {
    private let task: InstructionTraining
    private let encoder: TaskEncoder
    private let cut: ExampleCut
    private let counts: TokenByteCounts?

    /// What instructions are put into words with: the model's template, else Alpaca's.
    let template: ChatTemplate

    init(_ task: InstructionTraining, _ encoder: TaskEncoder) throws {
        self.task = task
        self.encoder = encoder
        cut = ExampleCut(
            truncation: task.truncation, limit: encoder.maximumLength,
            beginning: encoder.tokenizer.beginningOfTextID)
        counts = TokenByteCounts(encoder.tokenizer)
        template =
            try encoder.template
            ?? BuiltInTemplate.alpaca.template(specialTokens: encoder.tokenizer.textEnds)
    }

    /// The examples of files, in their order. Rows are read, put into words and encoded on several threads;
    /// only their tokens stay in memory.
    /// - Throws: ``TaskDataError``, ``InstructionDataError``, ``CompletionDataError`` for the first bad row,
    ///   unless the task skips bad rows, and ``ChatTemplateError`` for a fault of the template.
    func encode(_ files: [URL]) throws -> EncodedInstructions {
        var encoded = EncodedInstructions()
        for file in files { try encode(file, into: &encoded) }
        guard encoded.examples.isEmpty, !files.isEmpty else { return encoded }
        let usable = encoded.rowCount - encoded.skippedCount
        if usable == 0, let first = encoded.firstSkipped {
            throw CompletionDataError.onlyBadRows(count: encoded.skippedCount, first: first)
        }
        throw CompletionDataError.nothingLearnt(examples: usable, limit: encoder.maximumLength)
    }

    private func encode(_ file: URL, into encoded: inout EncodedInstructions) throws {
        let skippedBefore = encoded.skippedCount
        var (firstSkipped, readable): (String?, Int) = (nil, 0)
        var reader = try task.files.reader(of: file)
        while let rows = try reader.next() {
            for outcome in inParallel(rows.count, { outcome(of: rows, at: $0) }) {
                switch outcome {
                case .nothing: continue
                case .encoded(let row):
                    encoded.add(row)
                    readable += 1
                case .unusable(let error):
                    guard task.files.skipsBadRows else { throw error }
                    encoded.skip("\(error)")
                    readable += 1
                case .unreadable(let error):
                    guard task.files.leavesOut(error) else { throw error }
                    firstSkipped = firstSkipped ?? "\(error)"
                    encoded.skip("\(error)")
                case .failed(let error): throw error
                }
            }
        }
        guard readable == 0 else { return }
        throw InstructionDataError.onlyBadRows(
            path: file.relativePath, count: encoded.skippedCount - skippedBefore,
            first: firstSkipped ?? "")
    }

    private enum Outcome: Sendable {
        /// There is no row but white space.
        case nothing
        case encoded(EncodedRow)
        case unreadable(any Error)
        /// A row that can be read, and is none for the template.
        case unusable(CompletionDataError)
        /// No row's fault.
        case failed(any Error)
    }

    private func outcome(of rows: InstructionReader.Rows, at index: Int) -> Outcome {
        let example: InstructionFiles.PlacedExample
        do {
            guard let read = try rows.example(at: index) else { return .nothing }
            example = read
        } catch {
            return .unreadable(error)
        }
        do {
            return .encoded(try encode(example))
        } catch {
            guard Self.isOfRow(error) else { return .failed(error) }
            return .unusable(.badExample(place: example.place, reason: "\(error)"))
        }
    }

    private func encode(_ example: InstructionFiles.PlacedExample) throws -> EncodedRow {
        var row = EncodedRow()
        for text in try texts(example) {
            let whole = try text.encode(with: encoder.tokenizer, counts: counts)
            guard let example = cut(whole) else {
                row.dropped += 1
                continue
            }
            if example.trainedCount > 0 {
                row.examples.append(example)
                if cut.cutsQuestion(of: whole) { row.cutQuestions += 1 }
            } else {
                row.empty += 1
            }
        }
        row.unusedKeys.add(example, for: template)
        switch example.example {
        case .instruction, .conversation: row.usesTemplate = true
        case .completion, .text: break
        }
        return row
    }

    /// Whether another row may do: a fault of the template or the tokenizer is no row's.
    private static func isOfRow(_ error: any Error) -> Bool {
        switch error {
        case let error as ChatTemplateError: error.isOfConversation
        case CompletionDataError.answerNotFound: true
        default: false
        }
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
            return try conversation(
                instruction.turns(for: template), instruction.variables)
        case .conversation(let turns, let variables):
            guard encoder.template != nil else {
                throw CompletionDataError.noTemplate(place: placed.place)
            }
            return try conversation(turns, variables)
        }
    }

    private func framed(_ parts: [LearntText.Part]) -> LearntText {
        LearntText(parts: parts.filter { !$0.text.isEmpty }, isFramed: true, isEnded: true)
    }

    private func conversation(
        _ turns: [ChatTurn], _ variables: [String: TemplateValue]
    ) throws -> [LearntText] {
        try ConversationText(
            template: template, onlyLast: task.learnt == .lastResponse,
            learnsAll: task.learnt == .everything
        ).texts(turns, variables: variables)
    }
}

extension Instruction {
    /// The instruction as a conversation. The answers of its history are learnt too, as LLaMA-Factory
    /// learns them.
    func turns(for template: ChatTemplate) -> [ChatTurn] {
        let hasHeading = template.source.contains("### Input:")
        let joint = hasHeading ? BuiltInTemplate.inputHeading : "\n"
        let question = input.isEmpty ? instruction : instruction + joint + input
        let before = system.map {
            [ChatTurn(ChatMessage(role: "system", content: $0), isLearnt: false)]
        }
        let exchanges = history + [Exchange(question: question, answer: output)]
        return (before ?? [])
            + exchanges.flatMap {
                [
                    ChatTurn(ChatMessage(role: "user", content: $0.question), isLearnt: false),
                    ChatTurn(
                        ChatMessage(role: "assistant", content: $0.answer),
                        isLearnt: $0.answer.contains { !$0.isWhitespace }),
                ]
            }
    }
}
