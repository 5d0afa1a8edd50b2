import ArgumentParser
import FineTuning
import Foundation

extension CommonsenseProtocol: ExpressibleByArgument {}

/// How commonsense reasoning is asked, answered and shown.
struct CommonsenseArguments: ParsableArguments {
    @Option(
        name: .customLong("protocol"),
        help: """
            commonsense: how examples are written and answers read: \
            \(CommonsenseProtocol.allValueStrings.joined(separator: ", ")); the last takes the \
            answer that the model finds most probable. Default: hira, as the paper has it.
            """)
    var preset: CommonsenseProtocol?

    /// The run of a task's name; nil for another task.
    func trainingTask(
        named name: String, _ scoring: ScoringArguments
    ) throws -> CommonsenseTraining? {
        guard var task = CommonsenseTraining(named: name) else { return nil }
        let preset = preset ?? task.preset
        task.preset = preset
        task.limit = scoring.limit
        guard let file = try scoring.predictionsFile() else { return task }
        task.record = { answers in
            let lines = answers.map { Self.line($0, preset) + "\n" }
            try AtomicFile.write(Data(lines.joined().utf8), to: file)
        }
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] { [("protocol", preset != nil)] }

    private static func line(_ answer: CommonsenseAnswer, _ preset: CommonsenseProtocol) -> String {
        var line = JSONLine()
        line.set("task", answer.set.name)
        line.set("prompt", preset.testPrompt(answer.example.instruction))
        line.set("prompt_ids", answer.prompt)
        line.set("text", answer.text)
        line.set("answer", answer.answer ?? "")
        line.set("gold", answer.example.answer)
        return line.text
    }
}

extension CommonsenseTraining {
    /// The accuracies in per cent under the columns of the paper's Table 1; nil for one set alone.
    func table(_ metrics: [(name: String, value: Double)]) -> String? {
        guard sets.count > 1 else { return nil }
        let names = sets.map(\.name) + [primaryMetric]
        func row(_ suffix: String) -> [String] {
            names.map { name in
                let value = metrics.first { $0.name == name + suffix }?.value
                return decimal(value.map { 100 * $0 }, digits: 1)
            }
        }
        let byToken = preset == .likelihood ? [["a token"] + row("-normalized")] : []
        return textTable([""] + sets.map(\.title) + ["Avg."], [["accuracy, %"] + row("")] + byToken)
    }
}
