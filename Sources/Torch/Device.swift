import CTorch

/// Where a tensor lies and computes (`torch.device`).
public struct Device: Hashable, Sendable, CustomStringConvertible {
    /// A kind of device, in PyTorch's words.
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
    public var isAvailable: Bool { ct_device_available(kind.deviceType) }

    public var description: String { index < 0 ? kind.rawValue : "\(kind.rawValue):\(index)" }
}
