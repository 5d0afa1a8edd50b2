import DualTraining
import Foundation

/// What of the process lies in memory, in MiB.
struct ResidentMemory {
    /// The most so far, with the pages of mapped files.
    let peak: Double
    /// Pages of the mapped weights, now; nil where there are none, or the system does not tell.
    let weights: Double?

    /// - Parameter folder: the folder that weights are mapped from, if they are.
    static func now(mappedFrom folder: URL?) -> ResidentMemory {
        ResidentMemory(peak: peak, weights: folder.flatMap(pages(mappedFrom:)))
    }

    /// Of this program alone: what `getrusage` tells counts the program that started it as well.
    private static var peak: Double {
        text(of: "/proc/self/status").flatMap { kilobytes(after: "VmHWM:", in: $0) }.map {
            Double($0) / 1024
        }
            ?? peakMemoryMiB()
    }

    private static func pages(mappedFrom folder: URL) -> Double? {
        guard let maps = text(of: "/proc/self/smaps") else { return nil }
        let files =
            (try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: nil)) ?? []
        let paths = files.filter { $0.pathExtension == "safetensors" }
            .map { $0.resolvingSymlinksInPath().path }
        var (sum, isWeights) = (0, false)
        for line in maps.split(separator: "\n") {
            if line.contains("-"), line.first?.isHexDigit ?? false {
                isWeights = paths.contains { line.hasSuffix(" \($0)") }
            } else if isWeights, line.hasPrefix("Rss:") {
                sum += kilobytes(after: "Rss:", in: String(line)) ?? 0
            }
        }
        return Double(sum) / 1024
    }

    /// `String(contentsOfFile:)` ends after the first page of such a file.
    private static func text(of path: String) -> String? {
        guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// The number of a line of /proc such as "VmHWM:     123456 kB".
    private static func kilobytes(after label: String, in text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(label) }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
