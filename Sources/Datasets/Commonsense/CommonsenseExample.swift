import Foundation

/// One question of commonsense reasoning.
public struct CommonsenseExample: Equatable, Sendable {
    /// The question with its choices, and how to answer.
    public let instruction: String
    /// What a model should say, such as `the correct answer is answer2`.
    public let output: String
    /// The name of the right choice.
    public let answer: String

    public init(instruction: String, output: String, answer: String) {
        self.instruction = instruction
        self.output = output
        self.answer = answer
    }

    /// What a model should say for an answer, in the data's words.
    public static func phrase(_ answer: String) -> String { "the correct answer is \(answer)" }

    /// The examples of a file of JSON records with the keys `instruction`, `input` (empty), `output`
    /// and `answer`.
    /// - Parameter sets: those that an example may be of; its answer must be of one of them.
    /// - Throws: ``TaskDataError``, naming the file, the line and the key.
    static func read(_ file: URL, of sets: [CommonsenseSet]) throws(TaskDataError) -> [Self] {
        let labels = sets.flatMap(\.labels).uniqued
        return try JSONRecords(contentsOf: file).records.map { record throws(TaskDataError) in
            let example = CommonsenseExample(
                instruction: try record.filledText("instruction"),
                output: try record.filledText("output"), answer: try record.text("answer"))
            guard labels.contains(example.answer) else {
                throw record.badValue("answer", expected: choice(labels))
            }
            let input = record.fields["input"] == nil ? "" : try record.text("input")
            guard input.isEmpty else {
                throw record.badValue(
                    "input", expected: "empty: the question belongs into 'instruction'")
            }
            let said = sets.filter { $0.labels.contains(example.answer) }
                .map { $0.answer(in: example.output) }
            guard said.contains(example.answer) else {
                throw record.badValue("output", expected: "'\(phrase(example.answer))'")
            }
            return example
        }
    }

    private static func choice(_ labels: [String]) -> String {
        labels.map { "'\($0)'" }.joined(separator: " or ")
    }
}

extension JSONRecord {
    /// The text of a field that must have more than white space.
    fileprivate func filledText(_ key: String) throws(TaskDataError) -> String {
        let text = try text(key)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw badValue(key, expected: "a text that is not empty")
        }
        return text
    }

    /// A text that a field must not have.
    fileprivate func badValue(_ key: String, expected: String) -> TaskDataError {
        guard case .string(let text)? = fields[key] else {
            return .missingKey(path: path, line: line, key: key, found: fields.keys)
        }
        return .badValue(path: path, line: line, key: key, found: text, expected: expected)
    }
}

extension [String] {
    fileprivate var uniqued: [String] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
