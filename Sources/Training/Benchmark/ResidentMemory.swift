import Foundation

/// What of the process lies in memory.
enum ResidentMemory {
    /// The most so far, in MiB.
    ///
    /// Of this program alone: what `getrusage` tells counts the program that started it as well.
    static var peakMiB: Double {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let kilobytes = kilobytes(after: "VmHWM:", in: status)
        else { return peakMemoryMiB() }
        return Double(kilobytes) / 1024
    }

    /// The number of a line of /proc such as "VmHWM:     123456 kB".
    private static func kilobytes(after label: String, in text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(label) }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
