import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// `duallora fork-server`: runs one command after another, each in a process of its own, for the tests.
/// To load LibTorch takes longer than most commands that they give; here it is loaded once, and a
/// command begins in a copy of the process in which nothing else has happened. On Linux alone.
///
/// A line of standard input is a request. Answered are two lines: the number of the new process, and
/// how it ended: its exit status, or the negative number of the signal.
enum ForkServer {
    private struct Request: Decodable {
        let arguments: [String]
        let environment: [String: String]
        let folder: String
        /// The files that are the command's standard streams.
        let input: String
        let output: String
        let error: String
    }

    /// Runs the words of a command: those that the process was started with, or in a copy of a server
    /// those of a request.
    static func run(_ words: [String], _ command: @escaping @Sendable ([String]) -> Void) {
        #if canImport(Glibc)
            if words == ["fork-server"] { return runCopy(of: serve(), command) }
        #endif
        command(words)
    }

    #if canImport(Glibc)
        /// Runs a command on a thread of its own. Swift's runtime locks what is made once with the
        /// number of the thread; the first thread of a copy remembers the server's, which the kernel
        /// does not let it unlock once another thread waits.
        private static func runCopy(
            of words: [String], _ command: @escaping @Sendable ([String]) -> Void
        ) {
            let thread = Thread {
                command(words)
                exit(EXIT_SUCCESS)
            }
            thread.stackSize = 8 << 20
            thread.start()
            while true { pause() }
        }

        private static func serve() -> [String] {
            // The last that a copy does, before LibTorch takes down, for a tenth of a second, what it
            // has set up.
            on_exit({ status, _ in _exit(status) }, nil)
            while let line = readLine() {
                guard let request = try? JSONDecoder().decode(Request.self, from: Data(line.utf8))
                else { fail("a request is not readable: \(line)") }
                let process = fork()
                if process == 0 { return begin(request) }
                print("\(process)")
                print("\(end(of: process))")
            }
            exit(EXIT_SUCCESS)
        }

        /// Swift hides `fork`, since of several threads a copy has but one. A server has one: nothing
        /// has run in it yet that starts another.
        private static func fork() -> pid_t {
            guard let address = dlsym(nil, "fork") else { fail("there is no fork") }
            let process = unsafeBitCast(address, to: (@convention(c) () -> pid_t).self)()
            if process < 0 { fail("fork: \(String(cString: strerror(errno)))") }
            return process
        }

        private static func end(of process: pid_t) -> Int32 {
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            return signal == 0 ? status >> 8 & 0xff : -signal
        }

        private static func begin(_ request: Request) -> [String] {
            clearenv()
            for (name, value) in request.environment { setenv(name, value, 1) }
            // How threads wait is settled; ``PatientThreads`` must not start another server for it.
            setenv("GOMP_SPINCOUNT", "1000", 0)
            guard chdir(request.folder) == 0 else { fail("no folder \(request.folder)") }
            connect(STDIN_FILENO, to: request.input, O_RDONLY)
            connect(STDOUT_FILENO, to: request.output, O_WRONLY | O_APPEND)
            connect(STDERR_FILENO, to: request.error, O_WRONLY | O_APPEND)
            return request.arguments
        }

        private static func connect(_ stream: Int32, to path: String, _ flags: Int32) {
            let file = open(path, flags)
            guard file >= 0, dup2(file, stream) == stream, close(file) == 0 else {
                fail("\(path): \(String(cString: strerror(errno)))")
            }
        }

        private static func fail(_ text: String) -> Never {
            note("Error: fork-server: \(text)")
            _exit(EXIT_FAILURE)
        }
    #endif
}
