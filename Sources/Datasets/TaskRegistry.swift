import DualNames

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
            name: name, known: known, suggestion: NearestName.of(name, among: known))
    }
}
