import CTorch

/// A failure that LibTorch, or a check of this module before it, reported.
public struct TorchError: Error, Equatable, CustomStringConvertible {
    /// The operator or bridge call that failed.
    public let operation: String
    /// What LibTorch says of it, in one line or more.
    public let message: String
    /// Whether memory ran out, which a smaller batch may cure.
    public private(set) var isOutOfMemory = false

    public var description: String { "\(operation): \(message)" }
}

/// Turns a status of the bridge into an error with its message.
func check(_ status: ct_status, _ operation: @autoclosure () -> String) throws {
    guard status != CT_OK else { return }
    let message = ct_last_error().map { String(cString: $0) } ?? "no message"
    throw TorchError(
        operation: operation(), message: message, isOutOfMemory: status == CT_OUT_OF_MEMORY)
}
