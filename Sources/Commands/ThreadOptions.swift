import ArgumentParser
import FineTuning

/// With how many threads a command computes.
struct ThreadOptions: ParsableArguments {
    @Option(
        name: .customLong("threads"),
        help: "Threads; as many as there are cores when not given.")
    var count: Int?

    /// Sets the threads.
    /// - Parameter savesMemory: whether memory counts for more than time; freed memory is then given
    ///   back, whatever it costs to take it again.
    func apply(savesMemory: Bool = false) throws {
        PatientThreads.adopt()
        if !savesMemory { TorchRuntime.keepFreedMemory() }
        guard let count else { return }
        guard 1...TorchRuntime.mostThreads ~= count else {
            throw CommandError(
                "--threads: \(count) is not from 1 to \(TorchRuntime.mostThreads)")
        }
        try TorchRuntime.setThreads(count)
    }
}
