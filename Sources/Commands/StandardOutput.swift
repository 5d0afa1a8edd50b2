import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Prints a text on standard output, or ends the command where that takes none: what is lost there is
/// what the command was asked for. It stands in the place of Swift's own, which passes over a full disk.
func print(_ text: String, terminator: String = "\n") {
    StandardOutput.write(text + terminator)
}

/// Where commands leave their results.
enum StandardOutput {
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var unwritten = UnsafeRawBufferPointer(bytes)[...]
            while !unwritten.isEmpty {
                let bytes = UnsafeRawBufferPointer(rebasing: unwritten)
                let written = systemWrite(bytes)
                if written >= 0 {
                    unwritten = unwritten.dropFirst(written)
                } else if errno == EAGAIN {
                    waitForRoom()
                } else if errno != EINTR {
                    fail(errno)
                }
            }
        }
    }

    /// What the parser prints, as help, is in a buffer until the process ends.
    static func checkAtExit() {
        atexit { if fflush(nil) != 0 { StandardOutput.fail(errno) } }
    }

    private static func systemWrite(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        #endif
    }

    /// Whoever started the command may have made its output one that does not wait by itself.
    private static func waitForRoom() {
        var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&output, 1, -1)
    }

    private static func fail(_ code: Int32) -> Never {
        // Who reads no further, as `head`, misses nothing; as a rule the signal has come before.
        if code == EPIPE { _exit(128 + SIGPIPE) }
        note("Error: standard output cannot be written: \(String(cString: strerror(code)))")
        _exit(EXIT_FAILURE)
    }
}

/// Says something beside the result. Where that cannot be said, the work goes on.
func note(_ text: String) { StandardError.write("\(OptionSpelling.flags(in: text))\n") }

/// Where commands tell how they go.
enum StandardError {
    static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
