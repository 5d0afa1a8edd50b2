import Foundation

/// An answer that may be another soon.
struct HubBusy: Error, Equatable {
    let reason: String
    /// Seconds that the hub asks to wait.
    let pause: TimeInterval?
}
