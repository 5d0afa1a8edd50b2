import ArgumentParser
import DualTorch
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Ctrl-C, and the SIGTERM of whoever manages the machine.
///
/// Where a command has nothing to keep, either ends the process within moments, with what it had begun to
/// write taken away. Where it has, the first is told at once and kept until the work asks for it, and a
/// second one ends the process.
enum Interrupt {
    /// What a first signal does.
    private enum Course {
        case ends
        /// - Parameter line: says what is waited for.
        case waits(line: String)
    }

    private static let heard = Atomic<Int32>(0)
    private static let course = Mutex(Course.ends)
    /// Where the handler of the signals writes their numbers.
    private static let handlerEnd = Atomic<Int32>(-1)

    /// Whether a signal has come that the work is to heed.
    static var happened: Bool { heard.load(ordering: .relaxed) != 0 }

    /// Whether the signal was SIGTERM, which means the whole process.
    static var wasTermination: Bool { heard.load(ordering: .relaxed) == SIGTERM }

    /// The status of a process that a signal stopped, as shells have it.
    static var exitCode: ExitCode { ExitCode(128 + heard.load(ordering: .relaxed)) }

    /// Begins to listen. Called once, before any other thread is started.
    static func listen() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        handlerEnd.store(ends[1], ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                let code = errno
                var byte = UInt8(truncatingIfNeeded: number)
                write(Interrupt.handlerEnd.load(ordering: .relaxed), &byte, 1)
                errno = code
            }
        }
        let source = ends[0]
        let thread = Thread {
            while let number = next(from: source) { hear(number) }
        }
        thread.start()
    }

    private static func next(from source: Int32) -> Int32? {
        var byte: UInt8 = 0
        while true {
            let count = read(source, &byte, 1)
            if count == 1 { return Int32(byte) }
            guard count < 0, errno == EINTR else { return nil }
        }
    }

    private static func hear(_ number: Int32) {
        course.withLock { course in
            guard case .waits(let line) = course, !happened else {
                end(number, isSecond: happened)
            }
            heard.store(number, ordering: .relaxed)
            note(line)
        }
    }

    private static func end(_ number: Int32, isSecond: Bool) -> Never {
        UnfinishedFiles.removeAll()
        if isSecond {
            note("stopped at once")
        } else if isatty(STDERR_FILENO) == 1 {
            StandardError.write("\n")
        }
        _exit(128 + number)
    }

    /// From now on a signal is kept for the work to heed.
    /// - Parameter line: said when it comes.
    static func watch(saying line: String) {
        course.withLock { course in
            heard.store(0, ordering: .relaxed)
            course = .waits(line: line)
        }
    }

    /// What is waited for is another thing now.
    static func say(_ line: String) {
        course.withLock { course in
            if case .waits = course { course = .waits(line: line) }
        }
    }

    /// From now on a signal ends the process.
    static func stopWatching() { course.withLock { $0 = .ends } }
}
