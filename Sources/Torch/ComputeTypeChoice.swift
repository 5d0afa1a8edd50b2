/// The type that a model is computed in: one that is named, or the one that suits the machine, which is
/// bfloat16 where its products are fast and float32 elsewhere.
public struct ComputeTypeChoice: Equatable, Sendable {
    /// What the user should know of it, in a sentence.
    public enum Remark: Equatable, Sendable {
        /// What was taken, and why.
        case note(String)
        /// What was named is slow here.
        case warning(String)
    }

    public let dtype: DType
    /// nil for a named type that is not known to be slow.
    public let remark: Remark?

    package init(_ dtype: DType, _ remark: Remark?) { (self.dtype, self.remark) = (dtype, remark) }

    /// Asks the processor, and where that does not tell, times a small product, once in a process.
    /// - Parameter named: nil for the type that suits the device.
    public init(_ named: DType? = nil, on device: Device = .cpu) {
        self = ComputeTypeChooser().choice(named, on: device)
    }

    /// The choice of a run that is gone on with in the type that it began with.
    package init(goingOnIn dtype: DType, on device: Device) {
        let warning = ComputeTypeChoice(dtype, on: device).remark
        let note = "computing in \(dtype.rawValue), as the run did before it was stopped"
        self.init(dtype, warning ?? .note(note))
    }
}

/// Chooses by what is known of the processor, and by measured times where that is not enough.
package struct ComputeTypeChooser {
    package var processor = Processor.ofMachine
    /// The time of a product of bfloat16 by that of float32; nil where a device has none of bfloat16.
    package var ratio: (Device) -> Double? = ProductTimes.ratio

    package init() {}

    /// The least ratio that is told: below it a difference may be chance.
    private static let noticed = 1.1

    package func choice(_ named: DType?, on device: Device) -> ComputeTypeChoice {
        guard let named else { return automatic(on: device) }
        return ComputeTypeChoice(named, warning(of: named, on: device))
    }

    private func automatic(on device: Device) -> ComputeTypeChoice {
        switch speed(on: device) {
        case .fast(let why):
            return ComputeTypeChoice(.bfloat16, .note("computing in bfloat16: \(why)"))
        case .slow(let why):
            return ComputeTypeChoice(
                .float32,
                .note("computing in float32: \(why)"))
        case .untold: return measured(on: device)
        }
    }

    private func measured(on device: Device) -> ComputeTypeChoice {
        guard let ratio = ratio(device) else {
            return ComputeTypeChoice(
                .float32, .note("computing in float32: there are no bfloat16 products here"))
        }
        let times = "\(Self.text(ratio)) times as long"
        return ratio <= 1
            ? ComputeTypeChoice(
                .bfloat16,
                .note("computing in bfloat16: its products take \(times) as float32's here"))
            : ComputeTypeChoice(
                .float32,
                .note("computing in float32: bfloat16's products take \(times) here"))
    }

    private func warning(of dtype: DType, on device: Device) -> ComputeTypeChoice.Remark? {
        guard dtype == .bfloat16 else { return nil }
        if case .fast = speed(on: device) { return nil }
        guard let ratio = ratio(device), ratio >= Self.noticed else { return nil }
        return .warning(
            "products of bfloat16 take \(Self.text(ratio)) times as long as float32's here; "
                + "`dtype` auto computes in float32")
    }

    private func speed(on device: Device) -> Processor.Speed {
        device.kind == .cpu ? processor.bfloat16Products : .untold
    }

    /// Two digits, or all before the point.
    private static func text(_ ratio: Double) -> String {
        if ratio >= 9.95 { return "\(Int(ratio.rounded()))" }
        let digits = ratio < 0.995 ? 100.0 : 10
        return "\((ratio * digits).rounded() / digits)"
    }
}
