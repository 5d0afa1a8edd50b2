import DualDatasets
import Testing

@testable import DualTasks

@Suite struct TaskRegistryTests {
    @Test("Every task is found by its name, and no name is used twice")
    func namesAreUnique() throws {
        for task in TaskRegistry.tasks {
            #expect(try TaskRegistry.task(named: task.name).title == task.title)
        }
        #expect(Set(TaskRegistry.tasks.map { $0.name }).count == TaskRegistry.tasks.count)
        #expect(Set(TaskRegistry.tasks.map { $0.title }).count == TaskRegistry.tasks.count)
    }

    @Test(
        "A name nearly right is suggested, one far off is not",
        arguments: [
            ("STS-B", "there is no task 'STS-B'; tasks are cola, rte, stsb; did you mean 'stsb'?"),
            ("rt", "there is no task 'rt'; tasks are cola, rte, stsb; did you mean 'rte'?"),
            ("mnli", "there is no task 'mnli'; tasks are cola, rte, stsb."),
            ("", "there is no task ''; tasks are cola, rte, stsb."),
        ])
    func suggestions(_ name: String, _ text: String) throws {
        let few: [any TrainingTask] = [
            SentenceTraining(CoLA.self), SentenceTraining(RTE.self), SentenceTraining(STSB.self),
        ]
        let error = #expect(throws: UnknownTaskError.self) {
            try TaskRegistry.task(named: name, among: few)
        }
        #expect(error?.description == text)
    }
}
