import CTorch

/// Where a tensor lies and computes.
public struct Device: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, CaseIterable, Sendable {
        case cpu, cuda, mps

        /// The number of LibTorch's `c10::DeviceType`.
        var deviceType: Int32 {
            switch self {
            case .cpu: 0
            case .cuda: 1
            case .mps: 13
            }
        }
    }

    public let kind: Kind
    /// Which of several; -1 for the current one.
    public let index: Int32

    public init(_ kind: Kind, index: Int32 = -1) {
        self.kind = kind
        self.index = index
    }

    public static let cpu = Device(.cpu)

    /// Whether LibTorch can compute there on this machine.
    public var isAvailable: Bool { ct_device_available(kind.deviceType) }

    public var description: String { index < 0 ? kind.rawValue : "\(kind.rawValue):\(index)" }
}

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
                operation: "set_threads", message: "\(count) is not from 1 to \(mostThreads)",
                isOutOfMemory: false)
        }
        try check(ct_set_threads(Int32(clamping: count)), "set_threads")
    }

    /// Makes memory that is freed stay with the process, for good: a training step frees and takes the
    /// same blocks over and over, and the system clears every page that it gives out anew, which was
    /// measured to take a quarter of a step. For programs whose work is training; a no-op where the C
    /// library has no such setting.
    public static func keepFreedMemory() { ct_keep_freed_memory() }

    /// Tensor handles alive in the process: a step that leaks none leaves it as it was.
    public static var liveTensors: Int { Int(ct_live_tensors()) }
}
