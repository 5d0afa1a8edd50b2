import ArgumentParser
import FineTuning
import Foundation

struct InspectDataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect-data", abstract: "Show what a run would train on, token by token.",
        discussion: """
            Reads the training examples as train does, with the model's tokenizer and chat template. A token \
            that is learnt has a + before it. No weights are needed.

            Example:
              duallora inspect-data --model llama --task instruct --data chats.jsonl --examples 2
              duallora inspect-data --model gpt2 --task text --data book.txt --packing --json
            """)

    @Option(
        help: "The model: a folder with config.json and a tokenizer, or org/name.",
        completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup(title: "Data") var data: DataArguments
    @OptionGroup(title: "Data") var dev: DevArguments

    @Option(
        name: .customLong("max-length"), parsing: .unconditional,
        help: "Tokens that an example is cut to. Default: the task's own, as train has it.")
    var maximumLength: Int?

    @Option(
        parsing: .unconditional,
        help: "Examples of one forward pass, for the share of padding. Default: the task's own.")
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: "Examples to show token by token. Default: 1; with --json all.")
    var examples: Int?

    @Flag(help: "Print one JSON object an example, and one of the whole at the end.")
    var json = false

    func validate() throws {
        if let batchSize, !(1...1_000_000).contains(batchSize) {
            throw ValidationError("--batch-size: \(batchSize) is not from 1 to 1000000")
        }
        if let examples, examples < 0 {
            throw ValidationError("--examples: \(examples) is negative")
        }
    }

    func run() throws {
        try checkMaximumLength(maximumLength)
        let task = try data.trainingTask([dev])
        guard let contents = try task.read(data.places) as? any CompletionData else {
            throw CommandError("--task: \(task.name) scores sentences; it learns no text to show")
        }
        let encoder = try encoder(task)
        let completions = try encoder.advising { try contents.completions(with: encoder) }
        let inspection = DataInspection(
            completions.examples, stopTokens: encoder.stopTokens,
            batchSize: batchSize ?? task.defaults.batchSize,
            rowLength: data.text.packing ? encoder.maximumLength : nil)
        let shown = completions.examples.prefix(examples ?? (json ? .max : 1))
        if json {
            for example in shown { try printObject(example, encoder.tokenizer) }
            var summary = inspection.fields
            summary["skipped_rows"] = completions.skippedCount
            return try printJSON(["summary": summary])
        }
        for text in encoder.notes + completions.notes { note("note: \(text)") }
        print(inspection.summary(isPacked: data.text.packing))
        for (number, example) in shown.enumerated() {
            show(example, number: number + 1, encoder.tokenizer)
        }
    }

    /// What the model's folder encodes with.
    private func encoder(_ task: any TrainingTask) throws -> TaskEncoder {
        let url = try source.configuration(model)
        let folder = try ModelFolder(url)
        return try TaskEncoder(
            Tokenizer.load(from: folder.files), for: task, folder: folder,
            template: task.usesTemplate ? data.template(of: url) : nil,
            maximumLength: maximumLength,
            positions: ModelFolder.positions(of: folder.configuration))
    }

    private func printObject(_ example: CompletionExample, _ tokenizer: Tokenizer) throws {
        try printJSON([
            "ids": example.ids, "trained": example.isTrained.map { $0 ? 1 : 0 },
            "tokens": example.ids.map { tokenizer.token(for: $0) ?? "" },
            "text": tokenizer.decode(example.ids), "uncut": example.uncutLength,
        ])
    }

    private func show(_ example: CompletionExample, number: Int, _ tokenizer: Tokenizer) {
        let cut = example.isCut ? ", cut from \(example.uncutLength)" : ""
        print(
            "\nexample \(number): \(example.ids.count) tokens\(cut), \(example.trainedCount) learnt"
        )
        for (id, isTrained) in zip(example.ids, example.isTrained) {
            let piece = String(describing: (tokenizer.token(for: id) ?? "").debugDescription)
            print("  \(isTrained ? "+" : " ") \(String(id).leftPadded(to: 6))  \(piece)")
        }
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

extension DataInspection {
    /// The numbers, as JSON has them.
    fileprivate var fields: [String: Any] {
        [
            "examples": exampleCount, "tokens": tokenCount, "trained_tokens": trainedCount,
            "cut_examples": cutCount, "examples_with_stop": stopCount,
            "padding_share": paddingShare,
            "lengths": ["min": lengths.least, "median": lengths.median, "max": lengths.most],
            "histogram": histogram.map {
                ["from": $0.lengths.lowerBound, "to": $0.lengths.upperBound, "examples": $0.count]
            },
        ]
    }

    fileprivate func summary(isPacked: Bool) -> String {
        let share = tokenCount > 0 ? 100 * Double(trainedCount) / Double(tokenCount) : 0
        let padding = String(format: "%.1f %%", 100 * paddingShare)
        let widest = max(1, histogram.map(\.count).max() ?? 1)
        let label = { (range: ClosedRange<Int>) in "\(range.lowerBound)-\(range.upperBound)" }
        let width = histogram.map { label($0.lengths).count }.max() ?? 0
        let bars = histogram.map { bar in
            "  \(label(bar.lengths).leftPadded(to: width)) "
                + String(repeating: "#", count: (40 * bar.count + widest - 1) / widest)
                + " \(bar.count)"
        }
        return """
            \(exampleCount) examples, \(tokenCount) tokens, of which \(trainedCount) are learnt \
            (\(String(format: "%.1f", share)) %)
            \(cutCount) are cut; \(stopCount) teach a token that ends a text
            \(isPacked ? "empty in packed rows" : "padding in batches"): \(padding)
            tokens an example: \(lengths.least) to \(lengths.most), half of them up to \(lengths.median)
            \(bars.joined(separator: "\n"))
            """
    }
}
