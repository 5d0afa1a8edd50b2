/// An environment variable of the hub that says nothing usable.
public struct HubSettingError: Error, Equatable, CustomStringConvertible {
    /// The variable of the environment, such as `HF_HUB_OFFLINE`.
    public let variable: String
    public let found: String
    public let expected: String

    public var description: String { "\(variable) is '\(found)', but must be \(expected)" }
}
