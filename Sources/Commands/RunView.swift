import FineTuning
import Foundation

/// Shows a run on standard error: a bar on a terminal, lines elsewhere.
final class RunView {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let label: String
    private var total = 0
    private var hasBar = false
    /// The score that goes on, and when a line last told of it.
    private var scoring: (stage: ScoringProgress.Stage, told: ContinuousClock.Instant)?

    /// - Parameter label: stands before every line, for one run of several.
    private init(label: String) { self.label = label.isEmpty ? "" : "\(label): " }

    /// Shows what `body` tells, and leaves the terminal clean whatever comes of it.
    static func showing<Result>(
        label: String = "", _ body: (RunView) throws -> Result
    ) rethrows -> Result {
        let view = RunView(label: label)
        defer { view.clearBar() }
        return try body(view)
    }

    func show(_ event: FineTuningRun.Event) {
        switch event {
        case .note(let text): line("note: \(text)")
        case .warning(let text): line("warning: \(text)")
        case .started(let trainable, let all, let examples, let steps, let done):
            total = steps
            let share = 100 * Double(trainable) / Double(max(1, all))
            line(
                "\(trainable.formatted) of \(all.formatted) parameters train "
                    + "(\(decimal(share, digits: 2)) %), \(examples.formatted) examples, \(steps) steps"
                    + (done > 0 ? ", \(done) of them done" : ""))
        case .training(.step(let record)): show(record)
        case .training(.evaluated(let record)):
            let metrics = record.metrics.sorted { $0.key < $1.key }
                .map { ", \($0.key) \(decimal($0.value))" }.joined()
            line("step \(record.step): dev loss \(decimal(record.evaluationLoss))\(metrics)")
        case .training(.checkpoint(let path)):
            line("checkpoint \(URL(fileURLWithPath: path).lastPathComponent)")
        case .training(.checkpointFailed(let reason)):
            line("note: no checkpoint could be written: \(reason); the training goes on")
        case .training(.scoring(let progress)): show(progress)
        case .training(.trained), .training(.predicted): break
        }
    }

    func show(_ event: EvaluationRun.Event) {
        switch event {
        case .note(let text): line("note: \(text)")
        case .warning(let text): line("warning: \(text)")
        case .scoring(let progress): show(progress)
        }
    }

    /// Shows how far a score has come; in a file, only of one that takes long.
    func show(_ progress: ScoringProgress) {
        if scoring?.stage != progress.stage { scoring = (progress.stage, .now) }
        let text = "scoring: \(progress.stage.rawValue) \(progress.done)/\(progress.total)"
        if isTerminal {
            write(overwriting("\(label)\(bar(progress.done, of: progress.total)) \(text)"))
            hasBar = true
        } else if let scoring, scoring.told.secondsAgo > 30, progress.done < progress.total {
            line(text)
            self.scoring?.told = .now
        }
        if progress.done == progress.total {
            clearBar()
            scoring = nil
        }
    }

    private func show(_ record: StepRecord) {
        let rate = Double(record.tokens) / max(record.seconds, 1e-9)
        let left = record.seconds / Double(record.step) * Double(total - record.step)
        let text =
            "step \(record.step)/\(total)  loss \(decimal(record.loss))  "
            + "\(Int(rate).formatted) tokens/s  \(clock(left)) left"
        guard isTerminal else {
            // A line for every tenth of the run is enough for a file.
            let tenth = max(1, total / 10)
            if record.step % tenth < 10 || record.step == total { line(text) }
            return
        }
        write(overwriting("\(label)\(bar(record.step, of: total)) \(text)"))
        hasBar = true
    }

    private func line(_ text: String) {
        clearBar()
        write("\(label)\(OptionSpelling.flags(in: text))\n")
    }

    private func clearBar() {
        if hasBar { write("\r\u{1B}[K") }
        hasBar = false
    }

    private func write(_ text: String) { StandardError.write(text) }
}

/// A number with a fixed count of decimals; a dash for one that is not defined.
func decimal(_ value: Double?, digits: Int = 4) -> String {
    guard let value, value.isFinite else { return "-" }
    return String(format: "%.\(digits)f", value)
}

/// A bar of 24 signs, as full as the share that is done.
func bar(_ done: Int, of total: Int) -> String {
    let width = 24
    let filled = min(width, Int(Double(width) * Double(done) / Double(max(1, total))))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
}

/// A line in the place of the terminal's last one, cut where the terminal ends: what goes on in a
/// second line could not be taken back.
func overwriting(_ text: String) -> String { "\r\u{1B}[K\u{1B}[?7l\(text)\u{1B}[?7h" }

/// Minutes and seconds.
func clock(_ seconds: Double) -> String {
    let whole = Int(max(0, seconds).rounded())
    return String(format: "%d:%02d", whole / 60, whole % 60)
}

extension Int {
    /// With commas between thousands.
    var formatted: String {
        var digits = String(magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (self < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}
