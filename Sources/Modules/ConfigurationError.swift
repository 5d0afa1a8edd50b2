import DualJSON

/// A configuration file that cannot be used.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case badValue(file: String, key: String, found: String, expected: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .badValue(let file, let key, let found, let expected):
            "\(file): '\(key.excerpt())' is \(found.excerpt(200)), but must be \(expected)"
        }
    }
}
