/// Why a safetensors file or a sharded checkpoint cannot be used.
public enum SafetensorsError: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case badHeader(file: String, reason: String)
    case badTensor(name: String, file: String, reason: String)
    case missingTensor(name: String, file: String)
    case badIndex(file: String, reason: String)
    case noCheckpoint(folder: String, found: String?)
    case unwritable(file: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .badHeader(let file, let reason): "\(file) is not a safetensors file: \(reason)"
        case .badTensor(let name, let file, let reason): "\(file): tensor '\(name)' \(reason)"
        case .missingTensor(let name, let file): "\(file) has no tensor '\(name)'"
        case .badIndex(let file, let reason): "\(file): \(reason)"
        case .noCheckpoint(let folder, nil):
            "\(folder) has no model.safetensors (and no model.safetensors.index.json)"
        case .noCheckpoint(let folder, let found?):
            "\(folder) has only \(found), which is a pickle and is never read; "
                + "save it as model.safetensors"
        case .unwritable(let file, let reason): "\(file) cannot be written: \(reason)"
        }
    }
}
