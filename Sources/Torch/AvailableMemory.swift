import Foundation

/// How much memory this process may still take, in bytes, by what the system tells.
package enum AvailableMemory {
    /// What the machine has free or can make free, and no more than a control group (a container's limit) leaves;
    /// half of the machine's memory where the system tells neither.
    package static var bytes: Int {
        let found = [ofMachine, ofControlGroup].compactMap { $0 }
        return found.min() ?? Int(ProcessInfo.processInfo.physicalMemory / 2)
    }

    /// `MemAvailable` of Linux.
    private static var ofMachine: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else {
            return nil
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// What the limit of a control group (version 2) leaves; nil without one.
    private static var ofControlGroup: Int? {
        func number(_ name: String) -> Int? {
            (try? String(contentsOfFile: "/sys/fs/cgroup/\(name)", encoding: .utf8))
                .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let most = number("memory.max"), let now = number("memory.current") else {
            return nil
        }
        return max(0, most - now)
    }
}
