import Foundation

/// LibTorch's threads wait for one another by spinning, for milliseconds at a time. Where another
/// process wants a core, those who spin keep it from the thread that all wait for: steps were measured
/// to take ten times as long. Threads that soon go to sleep cost a few microseconds an operator.
enum PatientThreads {
    private static let policies = ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"]

    /// Starts the process anew with threads that soon sleep, unless the environment says how they wait.
    ///
    /// The OpenMP library reads its environment when it is loaded, before any code of ours runs.
    static func adopt() {
        #if os(Linux)
            let environment = ProcessInfo.processInfo.environment
            guard policies.allSatisfy({ environment[$0] == nil }),
                let program = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/exe")
            else { return }
            setenv("GOMP_SPINCOUNT", "1000", 1)
            // Returns only if it fails; the process then goes on as it is.
            execv(program, CommandLine.unsafeArgv)
        #endif
    }
}
