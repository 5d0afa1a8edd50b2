#if os(Linux)
    import Foundation

    /// What of the process lies in memory.
    public func residentBytes() throws -> Int { try bytes(after: "VmRSS:") }

    /// The most that did at any time.
    public func peakBytes() throws -> Int { try bytes(after: "VmHWM:") }

    private func bytes(after label: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(label) } ?? ""
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 3, let kilobytes = Int(words[1]) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return kilobytes * 1024
    }
#endif
