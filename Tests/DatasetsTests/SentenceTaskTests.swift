import DualDatasets
import DualMetrics
import Foundation
import Testing

@Suite struct SentenceTaskTests {
    @Test("CoLA takes its label from column two and its sentence from column four")
    func colaLayout() throws {
        let folder = try TaskFolder([
            "train.tsv": "gj04\t1\t\tIt rained.\nbc01\t0\t*\tRained it \"quoted.\n"
        ])
        let examples = try CoLA.examples(.train, in: folder.url)
        #expect(
            examples == [
                Example(text: "It rained.", label: .category(1)),
                Example(text: "Rained it \"quoted.", label: .category(0)),
            ])
    }

    @Test("RTE skips its header and counts entailment as 0")
    func rteLayout() throws {
        let folder = try TaskFolder([
            "dev.tsv": "index\tsentence1\tsentence2\tlabel\n"
                + "0\tA dog ran.\tA dog moved.\tentailment\n1\tA.\tB.\tnot_entailment\n"
        ])
        let examples = try RTE.examples(.dev, in: folder.url)
        #expect(
            examples == [
                Example(text: "A dog ran.", pair: "A dog moved.", label: .category(0)),
                Example(text: "A.", pair: "B.", label: .category(1)),
            ])
        #expect(RTE.categories == ["entailment", "not_entailment"])
    }

    @Test("STS-B reads the benchmark's rows, with source columns or without, and no quoting")
    func stsbLayout() throws {
        let row = "main-captions\tMSRvid\t2012test\t0001\t"
        let folder = try TaskFolder([
            "train.csv": row + "3.800\tHe said \"hi\tShe did.\r\n"
                + row + "0\tOne.\tTwo.\tsource one\tsource two\r\n"
        ])
        let examples = try STSB.examples(.train, in: folder.url)
        #expect(
            examples == [
                Example(text: "He said \"hi", pair: "She did.", label: .score(3.8)),
                Example(text: "One.", pair: "Two.", label: .score(0)),
            ])
    }

    @Test("STS-B reads GLUE's own layout by its header")
    func stsbOfGLUE() throws {
        let header =
            "index genre filename year old_index source1 source2 sentence1 sentence2 score"
        let folder = try TaskFolder([
            "dev.tsv": header.replacingOccurrences(of: " ", with: "\t")
                + "\n0\tmain-news\tf\t2016\t7\tnone\tnone\tOne.\tTwo.\t4.750\n"
        ])
        let examples = try STSB.examples(.dev, in: folder.url)
        #expect(examples == [Example(text: "One.", pair: "Two.", label: .score(4.75))])
    }

    @Test("A task's first metric is its primary one", arguments: TaskRegistry.tasks.indices)
    func primaryMetricIsFirst(_ index: Int) throws {
        let task = TaskRegistry.tasks[index]
        let labels: [Label] =
            task.categories == nil
            ? [.score(1), .score(4), .score(2)] : [.category(1), .category(0), .category(1)]
        let metrics = try task.metrics(predictions: labels, labels: labels)
        #expect(metrics.first?.name == task.primaryMetric)
        #expect(metrics.allSatisfy { abs($0.value - 1) < 1e-12 })
        #expect(throws: MetricError.self) { try task.metrics(predictions: [], labels: []) }
    }

    @Test("A label of the wrong kind is an error that names the task")
    func wrongLabelKind() throws {
        #expect(throws: LabelError.notACategory(task: "CoLA")) {
            try CoLA.metrics(predictions: [.score(1)], labels: [.category(1)])
        }
        #expect(throws: LabelError.notAScore(task: "STS-B")) {
            try STSB.metrics(predictions: [.score(1)], labels: [.category(1)])
        }
        #expect(
            "\(LabelError.notAScore(task: "STS-B"))"
                == "STS-B is measured on scores, but a label is a category; use .score(value).")
    }
}

@Suite struct TaskRegistryTests {
    @Test("Every task is found by its name, and no name is used twice")
    func namesAreUnique() throws {
        for task in TaskRegistry.tasks {
            #expect(try TaskRegistry.task(named: task.name) == task)
        }
        #expect(Set(TaskRegistry.tasks.map { $0.name }).count == TaskRegistry.tasks.count)
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
        let error = #expect(throws: UnknownTaskError.self) { try TaskRegistry.task(named: name) }
        #expect(error?.description == text)
    }
}
