import FineTuning
import Foundation

/// Shows a download on standard error: a bar on a terminal, a line for every tenth elsewhere.
final class DownloadView {
    private let hasBar =
        isatty(FileHandle.standardError.fileDescriptor) == 1
        && !["1", "ON", "YES", "TRUE"].contains(
            ProcessInfo.processInfo.environment["HF_HUB_DISABLE_PROGRESS_BARS"]?.uppercased())
    private var isDrawn = false
    private var total = 0
    private var tenths = 0
    /// When the first bytes came, and how many were there then.
    private var start: (time: ContinuousClock.Instant, bytes: Int)?
    private var lastDrawing: ContinuousClock.Instant?

    func show(_ event: HubEvent) {
        switch event {
        case .note(let text): line("note: \(text)")
        case .started(let repository, let files, let bytes):
            (total, tenths, start) = (bytes, 0, nil)
            let count = files == 1 ? "1 file" : "\(files) files"
            line("\(repository): \(count), \(byteText(bytes)), to download")
        case .progress(let file, let bytes): show(file, bytes)
        case .finished(let repository, let bytes):
            let seconds = start?.time.secondsAgo ?? 0
            line("\(repository): \(byteText(bytes)) downloaded in \(decimal(seconds, digits: 1)) s")
        }
    }

    /// Leaves the terminal clean.
    func clear() {
        if isDrawn { write("\r\u{1B}[K") }
        isDrawn = false
    }

    private func show(_ file: String, _ bytes: Int) {
        let start = start ?? (.now, bytes)
        self.start = start
        let rate = Double(bytes - start.bytes) / max(start.time.secondsAgo, 1e-3)
        let left = rate > 0 ? clock(Double(total - bytes) / rate) : "-:--"
        let text =
            "\(byteText(bytes)) of \(byteText(total))  \(byteText(Int(rate)))/s  \(left) left"
        guard hasBar else {
            let reached = bytes * 10 / max(1, total)
            guard reached > tenths, reached < 10 else { return }
            tenths = reached
            return line("\(file)  \(text)")
        }
        if let lastDrawing, lastDrawing.secondsAgo < 0.1, bytes < total { return }
        lastDrawing = .now
        write(overwriting("\(bar(bytes, of: total)) \(file)  \(text)"))
        isDrawn = true
    }

    private func line(_ text: String) {
        clear()
        write("\(text)\n")
    }

    private func write(_ text: String) { StandardError.write(text) }
}
