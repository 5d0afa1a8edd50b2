import DualDatasets
import Foundation
import Testing

@testable import DualTasks
@testable import DualTraining

/// What of a task must be the same for a run to be resumed, and the examples that it makes.
@Suite struct TaskIdentityTests {
    @Test("Fields are spelled in one order, so that another process finds the same run")
    func fields() throws {
        var task = InstructionTraining()
        task.files.fields = try InstructionFields([
            "output=o", "text=t", "instruction=i", "role=r", "input=n", "system=s",
        ])
        #expect(task.identity["field"] == "instruction=i,input=n,output=o,system=s,role=r,text=t")
    }

    @Test("What decides the examples is told apart")
    func differences() {
        let plain = InstructionTraining()
        let changes: [(inout InstructionTraining) -> Void] = [
            { $0.files.format = .alpaca }, { $0.files.unit = .line }, { $0.learnt = .everything },
            { $0.truncation = .drop }, { $0.packs = true }, { $0.files.skipsBadRows = true },
            { $0.heldOut.share = 0.5 },
            { $0.heldOut.rows = .last }, { $0.files.separator = .tab },
        ]
        for (number, change) in changes.enumerated() {
            var task = plain
            change(&task)
            #expect(task.identity != plain.identity, "\(number)")
        }
    }

    @Test("A generated text is one line, whatever ends its lines")
    func oneLine() {
        #expect(E2EScorer.line(" A pub.\r\nCheap.\r\n\r\nMore") == "A pub. Cheap.")
        #expect(E2EScorer.line("A pub.\nCheap.\n\nMore") == "A pub. Cheap.")
        #expect(E2EScorer.line("") == "")
    }

    @Test("Examples that are cut are told, with those that have nothing left to learn")
    func cut() throws {
        func example(_ count: Int, _ learnt: Int) -> CompletionExample {
            CompletionExample(
                ids: [Int](repeating: 1, count: 4), isTrained: (0..<4).map { $0 >= 4 - learnt },
                uncutLength: count)
        }
        #expect(try [example(4, 2)].cutNotes(limit: 4) == [])
        #expect(
            try [example(4, 2), example(5, 1)].cutNotes(limit: 4)
                == ["1 of 2 examples are cut to `max-length`, 4 tokens"])
        #expect(
            try [example(5, 2), example(9, 0), example(3, 1)].cutNotes(limit: 4) == [
                "2 of 3 examples are cut to `max-length`, 4 tokens; 1 have nothing left to learn "
                    + "and are left out"
            ])
        #expect(throws: CompletionDataError.nothingLearnt(examples: 1, limit: 4)) {
            try [example(9, 0)].cutNotes(limit: 4)
        }
    }
}
