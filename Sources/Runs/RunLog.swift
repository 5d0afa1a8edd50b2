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
    /// Bytes of whole lines that the file has.
    private var written: UInt64 = 0
    /// Lines that could not be written yet.
    private var waiting = Data()
    private var fault: RunError?
    private var notes: [String] = []

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
            written = try file.seekToEnd()
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

    /// A line that cannot be written waits for the next one: a disk that is full for a while is no reason
    /// to end a training.
    public func add(_ record: StepRecord) {
        steps.append(record)
        write(record)
    }

    /// As of a step.
    public func add(_ record: EvaluationRecord) {
        evaluations.append(record)
        write(record)
    }

    /// - Throws: ``RunError/unwritable(path:reason:)`` if there are lines that could not be written.
    public func finish() throws {
        writeWaiting()
        if let fault { throw fault }
    }

    /// What the user should know, once.
    func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    private func write(_ record: some Encodable) {
        guard let line = try? encoder.encode(record) else { return }
        waiting += line + Data("\n".utf8)
        writeWaiting()
    }

    private func writeWaiting() {
        guard !waiting.isEmpty else { return }
        do {
            // Of lines that did not fit, there may be the beginning.
            try file.truncate(atOffset: written)
            try file.seek(toOffset: written)
            try file.write(contentsOf: waiting)
            written += UInt64(waiting.count)
            (waiting, fault) = (Data(), nil)
        } catch {
            let reason = RunError.unwritable(path: url.path, reason: OutputFolder.reason(error))
            if fault == nil { notes.append("\(reason); the training goes on") }
            fault = reason
        }
    }
}
