/// The tasks known by name.
public enum TaskRegistry {
    /// Every task, in the order a list of them is printed.
    public static let tasks: [any SentenceTask.Type] = [CoLA.self, RTE.self, STSB.self]

    /// The task of a command line's name.
    ///
    /// - Parameter others: names that are no tasks of sentences, for the error's list.
    /// - Throws: ``UnknownTaskError``, which lists the names and suggests the nearest.
    public static func task(
        named name: String, besides others: [String] = []
    ) throws -> any SentenceTask.Type {
        if let task = tasks.first(where: { $0.name == name }) { return task }
        let known = tasks.map { $0.name } + others
        throw UnknownTaskError(
            name: name, known: known, suggestion: suggestion(for: name, among: known))
    }

    /// The name that differs from what was typed by case and punctuation, or by two letters.
    private static func suggestion(for typed: String, among known: [String]) -> String? {
        let typed = bareLetters(typed)
        let ranked = known.map { name in
            (name: name, distance: editDistance(typed, bareLetters(name)))
        }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= min(2, best.name.count / 2) ? best.name : nil
    }

    private static func bareLetters(_ name: String) -> [Character] {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// Levenshtein's distance: insertions, deletions and replacements between two words.
    private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let replaced = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}

/// A task name that no task has.
public struct UnknownTaskError: Error, Equatable, CustomStringConvertible {
    public let name: String
    public let known: [String]
    public let suggestion: String?

    public var description: String {
        let list = known.joined(separator: ", ")
        let hint = suggestion.map { "; did you mean '\($0)'?" } ?? "."
        return "there is no task '\(name)'; tasks are \(list)\(hint)"
    }
}
