import DualDatasets
import Synchronization

/// Every task that a run can be told by its name.
public enum TaskRegistry {
    /// The package's own, in the order in which a list of them is printed.
    private static let builtIn: [any TrainingTask] =
        [
            SentenceTraining(CoLA.self), SentenceTraining(RTE.self), SentenceTraining(STSB.self),
            TextTraining(), InstructionTraining(), E2ETraining(), CommonsenseTraining(),
        ] + CommonsenseSet.all.map { CommonsenseTraining([$0]) }

    private static let registered = Mutex<[any TrainingTask]>([])

    /// All tasks, as they are where nothing is set; those of clients behind the package's own.
    public static var tasks: [any TrainingTask] { builtIn + registered.withLock { $0 } }

    public static var names: [String] { tasks.map(\.name) }

    /// Lets a task of a client be found by its name.
    /// - Throws: ``TaskNameTaken`` where a task has that name.
    public static func register(_ task: any TrainingTask) throws {
        try registered.withLock { others in
            guard !(builtIn + others).contains(where: { $0.name == task.name }) else {
                throw TaskNameTaken(name: task.name)
            }
            others.append(task)
        }
    }

    /// The task of a name, as it is where nothing is set.
    /// - Throws: ``UnknownTaskError``, which lists the names and suggests the nearest.
    public static func task(named name: String) throws -> any TrainingTask {
        try task(named: name, among: tasks)
    }

    static func task(
        named name: String, among tasks: [any TrainingTask]
    ) throws -> any TrainingTask {
        if let task = tasks.first(where: { $0.name == name }) { return task }
        let known = tasks.map(\.name)
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
