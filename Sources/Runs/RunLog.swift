import DualTasks
import DualTorch
import DualTraining
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
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        self.url = url
        var (kept, records) = (Data(), [Record]())
        if resumedStep > 0, FileManager.default.fileExists(atPath: url.path) {
            for line in try RunLog.lines(of: url) {
                guard let record = RunLog.record(line), record.step <= resumedStep,
                    !record.isFinal
                else { continue }
                records.append(record)
                kept += line + Data("\n".utf8)
            }
        }
        try AtomicFile.write(kept, to: url)
        do {
            file = try FileHandle(forWritingTo: url)
            try file.seekToEnd()
        } catch {
            throw RunError.unwritable(path: url.path, reason: OutputFolder.reason(error))
        }
        records.forEach(keep)
    }

    deinit { try? file.close() }

    /// The records of a log; a line that a killed run left unfinished is passed over.
    public static func read(
        _ url: URL
    ) throws -> (steps: [StepRecord], evaluations: [EvaluationRecord]) {
        var (steps, evaluations) = ([StepRecord](), [EvaluationRecord]())
        for line in try lines(of: url) {
            switch record(line) {
            case .step(let record): steps.append(record)
            case .evaluation(let record): evaluations.append(record)
            case nil: continue
            }
        }
        return (steps, evaluations)
    }

    /// What a line of the log holds.
    private enum Record {
        case step(StepRecord)
        case evaluation(EvaluationRecord)

        var step: Int {
            switch self {
            case .step(let record): record.step
            case .evaluation(let record): record.step
            }
        }

        /// Whether it is of a run's end, which a resumed run comes to again.
        var isFinal: Bool {
            if case .evaluation(let record) = self { return record.isFinal ?? false }
            return false
        }
    }

    private static func lines(of url: URL) throws -> [Data] {
        do {
            return try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map { Data($0) }
        } catch {
            throw RunError.unreadable(path: url.path, reason: OutputFolder.reason(error))
        }
    }

    private static func record(_ line: Data) -> Record? {
        let decoder = JSONDecoder()
        if let step = try? decoder.decode(StepRecord.self, from: line) { return .step(step) }
        return (try? decoder.decode(EvaluationRecord.self, from: line)).map(Record.evaluation)
    }

    private func keep(_ record: Record) {
        switch record {
        case .step(let record): steps.append(record)
        case .evaluation(let record): evaluations.append(record)
        }
    }

    public func add(_ record: StepRecord) throws {
        steps.append(record)
        try write(record)
    }

    public func add(_ record: EvaluationRecord) throws {
        evaluations.append(record)
        try write(record)
    }

    private func write(_ record: some Encodable) throws {
        let line = try encoder.encode(record) + Data("\n".utf8)
        do {
            try file.write(contentsOf: line)
        } catch {
            throw RunError.unwritable(path: url.path, reason: OutputFolder.reason(error))
        }
    }
}
