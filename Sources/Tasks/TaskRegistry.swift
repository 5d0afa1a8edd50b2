import DualDatasets
import DualNames
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
            name: name, known: known, suggestion: NearestName.of(name, among: known))
    }
}
