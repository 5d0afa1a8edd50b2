import DualTraining

/// Encoded rows of files, and what became of the others.
struct EncodedInstructions {
    private(set) var examples = CompletionExamples()
    /// Rows that hold something, usable or not.
    private(set) var rowCount = 0
    /// Rows that could not be used.
    private(set) var skippedCount = 0
    /// What is wrong with the first of them.
    private(set) var firstSkipped: String?
    private(set) var usesTemplate = false
    private var rest = EncodedRow()

    mutating func add(_ row: EncodedRow) {
        for example in row.examples { examples.append(example, row: rowCount) }
        rowCount += 1
        rest.dropped += row.dropped
        rest.empty += row.empty
        rest.cutQuestions += row.cutQuestions
        rest.unusedKeys.add(row.unusedKeys)
        usesTemplate = usesTemplate || row.usesTemplate
    }

    mutating func skip(_ reason: String) {
        rowCount += 1
        skippedCount += 1
        firstSkipped = firstSkipped ?? reason
    }

    /// What the user should know of the data.
    func notes(_ truncation: InstructionTraining.Truncation, limit: Int) -> [String] {
        var notes = rest.unusedKeys.notes
        if let firstSkipped {
            notes.append(
                skippedCount == 1
                    ? "1 row cannot be used and is left out: \(firstSkipped)"
                    : "\(skippedCount) rows cannot be used and are left out; the first: \(firstSkipped)"
            )
        }
        if examples.cutCount > 0 {
            let questions =
                rest.cutQuestions > 0
                ? ", \(rest.cutQuestions) of them at the beginning of the question, so that the answer "
                    + "has room" : ""
            notes.append(
                "\(examples.cutCount) examples of more than \(limit) tokens are cut at their "
                    + (truncation == .start ? "beginning" : "end") + questions)
        }
        if rest.dropped > 0 {
            notes.append("\(rest.dropped) examples of more than \(limit) tokens are left out")
        }
        if rest.empty > 0 {
            notes.append("\(rest.empty) examples have nothing left to learn and are left out")
        }
        return notes
    }
}
