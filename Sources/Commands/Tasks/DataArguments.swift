import ArgumentParser
import FineTuning
import Foundation

/// The task, where its data lies and how its examples are read.
struct DataArguments: ParsableArguments {
    @Option(
        help: "The task: \(TaskRegistry.names.joined(separator: ", ")).",
        completion: .list(TaskRegistry.names))
    var task: String

    @Option(
        parsing: .upToNextOption,
        help: """
            Folder of the task's files, as GLUE, LLM-Adapters and the E2E challenge name them; for text and \
            instruct, files, or a folder with train and dev files (.txt; .jsonl, .json, .csv).
            """, completion: .file())
    var data: [String]

    @OptionGroup var text: TextArguments
    @OptionGroup var instructions: InstructionArguments
    @OptionGroup var e2e: E2EArguments
    @OptionGroup var commonsense: CommonsenseArguments

    var places: [URL] { data.map { URL(fileURLWithPath: $0) } }

    /// The task with what the user says of it.
    /// - Parameter others: what the command lets the user say of the task besides.
    /// - Throws: ``CommandError`` for an option that is another task's.
    func trainingTask(_ others: [any TaskArguments] = []) throws -> any TrainingTask {
        let named = try TaskRegistry.task(named: task)
        let groups = [text, instructions, e2e, commonsense] + others
        for group in groups {
            if !group.isFor(named), let option = group.firstGiven {
                throw CommandError(
                    "--\(option): the task \(task) has no such option; it is of "
                        + type(of: group).owners)
            }
        }
        return try groups.reduce(named) { try $1.applied(to: $0, in: self) }
    }

    /// What puts conversations into words: the chat template that the user gives, else the model's.
    func template(of model: URL) throws -> ChatTemplate? {
        var template =
            try givenTemplate(for: model) ?? ChatTemplate.load(from: ModelFiles(of: model))
        template?.variables = try instructions.context.variables
        template?.date = try instructions.context.date
        return template
    }

    /// The chat template that the user gives, with the special tokens of the model.
    func givenTemplate(for model: URL) throws -> ChatTemplate? {
        guard let name = instructions.chatTemplate else { return nil }
        return try ChatTemplate.load(named: name, tokensFrom: ModelFiles(of: model))
    }
}

/// Refuses lengths that training refuses, where a command takes no other options of training.
func checkMaximumLength(_ length: Int?) throws {
    guard let length, !(4...1_000_000).contains(length) else { return }
    throw CommandError("--max-length: \(length) is not from 4 to 1000000")
}
