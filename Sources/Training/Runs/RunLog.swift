import DualTorch
import Foundation

/// `train.jsonl`: one JSON object a line, a step or an evaluation each.
public final class RunLog {
    public private(set) var steps: [StepRecord] = []
    public private(set) var evaluations: [EvaluationRecord] = []
    private let url: URL
    private let file: FileHandle
    private let encoder: JSONEncoder

    /// Starts the log anew, or goes on with what it has of the first `resumedStep` steps.
    public init(_ url: URL, resumedStep: Int = 0) throws {
        self.url = url
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let old = resumedStep > 0 ? (try? Data(contentsOf: url)) ?? Data() : Data()
        let decoder = JSONDecoder()
        for line in old.split(separator: UInt8(ascii: "\n")) {
            if let record = try? decoder.decode(EvaluationRecord.self, from: line) {
                if record.step <= resumedStep { evaluations.append(record) }
            } else if let record = try? decoder.decode(StepRecord.self, from: line) {
                if record.step <= resumedStep { steps.append(record) }
            }
        }
        var kept = Data()
        let evaluationsByStep = Dictionary(grouping: evaluations, by: \.step)
        for record in evaluationsByStep[0] ?? [] { kept += try Self.line(record, encoder) }
        for record in steps {
            kept += try Self.line(record, encoder)
            for evaluation in evaluationsByStep[record.step] ?? [] {
                kept += try Self.line(evaluation, encoder)
            }
        }
        try AtomicFile.write(kept, to: url)
        file = try FileHandle(forWritingTo: url)
        try file.seekToEnd()
    }

    deinit { try? file.close() }

    public func add(_ record: StepRecord) throws {
        steps.append(record)
        try file.write(contentsOf: Self.line(record, encoder))
    }

    public func add(_ record: EvaluationRecord) throws {
        evaluations.append(record)
        try file.write(contentsOf: Self.line(record, encoder))
    }

    private static func line(_ record: some Encodable, _ encoder: JSONEncoder) throws -> Data {
        try encoder.encode(record) + Data("\n".utf8)
    }
}
