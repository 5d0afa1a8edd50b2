import CTorch

/// Where a tensor lies and computes (`torch.device`).
public struct Device: Hashable, Sendable, CustomStringConvertible {
    /// A kind of device, in PyTorch's words.
    public enum Kind: String, CaseIterable, Sendable {
        case cpu, cuda, mps
        /// What a library from outside of LibTorch has registered, if one is loaded.
        case privateuseone

        /// The number of LibTorch's `c10::DeviceType`.
        var deviceType: Int32 {
            switch self {
            case .cpu: 0
            case .cuda: 1
            case .mps: 13
            case .privateuseone: 20
            }
        }
    }

    /// The kind of device.
    public let kind: Kind
    /// Which of several of its kind; -1 for the current one.
    public let index: Int32

    /// - Parameter index: which of several; -1 for the current one.
    public init(_ kind: Kind, index: Int32 = -1) {
        self.kind = kind
        self.index = index
    }

    /// This machine's processors and memory.
    public static let cpu = Device(.cpu)

    /// Whether LibTorch can compute there on this machine.
    public var isAvailable: Bool { (try? check()) != nil }

    /// - Throws: ``TorchError`` with the reason if LibTorch cannot compute there on this machine.
    public func check() throws {
        try DualTorch.check(ct_device_check(kind.deviceType, index), description)
    }

    /// Waits until the device has done all that it was given; others than the CPU compute while the program
    /// goes on.
    package func wait() throws {
        guard kind != .cpu else { return }
        try DualTorch.check(ct_device_wait(kind.deviceType, index), description)
    }

    public var description: String { index < 0 ? kind.rawValue : "\(kind.rawValue):\(index)" }
}
