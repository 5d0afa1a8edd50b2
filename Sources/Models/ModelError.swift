/// A model folder that cannot be used, or a model that cannot do what is asked.
public enum ModelError: Error, Equatable, CustomStringConvertible {
    case noFolder(path: String)
    case unsupportedArchitecture(file: String, found: String, known: [String])
    case noHead(folder: String)
    case otherHead(outputs: Int, wanted: Int)
    case otherKind(model: String, wanted: String)
    case tooLong(tokens: Int, limit: Int)
    case unknownToken(id: Int, vocabulary: Int)
    case unknownType(id: Int, types: Int)

    public var description: String {
        switch self {
        case .noFolder(let path):
            "\(path) is not a folder with a model in it (a repository of the hub is named org/name)"
        case .unsupportedArchitecture(let file, let found, let known):
            "\(file): model_type \(found) is not known; known are \(known.joined(separator: ", "))"
        case .noHead(let folder):
            "\(folder) has no head for this: fine-tune it first, or name an adapter with one"
        case .otherHead(let outputs, let wanted):
            "the task needs a head with \(wanted) output(s), but this one has \(outputs)"
        case .otherKind(let model, let wanted):
            "the model is a \(model), but what is asked for needs \(wanted)"
        case .tooLong(let tokens, let limit):
            "a sequence has \(tokens) tokens, but the model has positions for \(limit)"
        case .unknownToken(let id, let vocabulary):
            "token id \(id) is not in the model's vocabulary of \(vocabulary)"
        case .unknownType(let id, let types):
            "type id \(id) is not one of the model's \(types) (type_vocab_size)"
        }
    }
}
