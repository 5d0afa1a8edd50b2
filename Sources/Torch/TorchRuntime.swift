import CTorch

/// The process's LibTorch.
public enum TorchRuntime {
    /// The version that the package was built with, for example "2.13.0".
    public static var version: String { String(cString: ct_version()) }

    /// Threads that one operator uses.
    public static var threads: Int { Int(ct_threads()) }

    /// The most threads that ``setThreads(_:)`` takes: each is started at once.
    public static let mostThreads = 1024

    /// Sets how many threads one operator uses.
    /// - Throws: ``TorchError`` if `count` is not from 1 to ``mostThreads``.
    public static func setThreads(_ count: Int) throws {
        guard 1...mostThreads ~= count else {
            throw TorchError(
                operation: "set_threads", message: "\(count) is not from 1 to \(mostThreads)")
        }
        try check(ct_set_threads(Int32(clamping: count)), "set_threads")
    }

    /// Makes memory that is freed stay with the process, for good: a training step frees and takes the
    /// same blocks over and over, and the system clears every page that it gives out anew, which was
    /// measured to take a quarter of a step. For programs whose work is training; a no-op where the C
    /// library has no such setting.
    public static func keepFreedMemory() { ct_keep_freed_memory() }

    /// Tensor handles alive in the process: a step that leaks none leaves it as it was.
    package static var liveTensors: Int { Int(ct_live_tensors()) }
}
