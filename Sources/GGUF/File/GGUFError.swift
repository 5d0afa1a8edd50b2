import DualJSON

/// Why a GGUF file cannot be used.
public enum GGUFError: Error, Equatable, CustomStringConvertible {
    case badFile(file: String, reason: String)
    case badKey(String, file: String, reason: String)
    case badTensor(String, file: String, reason: String)
    case missingTensor(String, file: String)

    public var description: String {
        switch self {
        case .badFile(let file, let reason): "\(file) is not a GGUF file to read: \(reason)"
        case .badKey(let key, let file, let reason): "\(file): '\(key.excerpt(200))' \(reason)"
        case .badTensor(let name, let file, let reason):
            "\(file): tensor '\(name.excerpt(200))' \(reason)"
        case .missingTensor(let name, let file): "\(file) has no tensor '\(name.excerpt(200))'"
        }
    }

    /// What is wrong, without the file.
    var reason: String {
        switch self {
        case .badFile(_, let reason): reason
        case .badKey(let key, _, let reason): "'\(key.excerpt(200))' \(reason)"
        case .badTensor(let name, _, let reason): "tensor '\(name.excerpt(200))' \(reason)"
        case .missingTensor(let name, _): "it has no tensor '\(name.excerpt(200))'"
        }
    }
}
