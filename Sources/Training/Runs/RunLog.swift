import DualTorch
import Foundation

/// `train.jsonl`: one JSON object a line, a step or an evaluation each.
public final class RunLog {
    public private(set) var steps: [StepRecord] = []
    public private(set) var evaluations: [EvaluationRecord] = []
    private let file: FileHandle
    private let encoder: JSONEncoder

    /// Starts the log anew, or goes on with what it has of the first `resumedStep` steps.
    public init(_ url: URL, resumedStep: Int = 0) throws {
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        if resumedStep > 0, FileManager.default.fileExists(atPath: url.path) {
            let old = try RunLog.read(url)
            steps = old.steps.filter { $0.step <= resumedStep }
            evaluations = old.evaluations.filter { $0.step <= resumedStep }
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

    /// The records of a log; a line that a killed run left unfinished is passed over.
    public static func read(
        _ url: URL
    ) throws -> (steps: [StepRecord], evaluations: [EvaluationRecord]) {
        let decoder = JSONDecoder()
        var (steps, evaluations) = ([StepRecord](), [EvaluationRecord]())
        for line in try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")) {
            if let record = try? decoder.decode(EvaluationRecord.self, from: line) {
                evaluations.append(record)
            } else if let record = try? decoder.decode(StepRecord.self, from: line) {
                steps.append(record)
            }
        }
        return (steps, evaluations)
    }

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
