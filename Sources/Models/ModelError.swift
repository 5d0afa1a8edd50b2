import Foundation

/// A model folder that cannot be used, or a model that cannot do what is asked.
public enum ModelError: Error, Equatable, CustomStringConvertible {
    case noFolder(path: String)
    case unsupportedArchitecture(file: String, found: String, known: [String])
    case noHead(folder: String)
    case otherHead(outputs: Int, wanted: Int)
    case otherKind(model: String, wanted: String)
    /// - Parameters: `output`: logits or hidden states; `sequence` and `token` counted from 1.
    case notFinite(output: String, sequence: Int, token: Int?)
    case tooLong(tokens: Int, limit: Int)
    /// - Parameter place: what has the room: memory, or a disk.
    case tooLarge(file: String, bytes: Double, room: Double, place: String)
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
        case .notFinite(let output, let sequence, let token):
            "the model's \(output) of \(token.map { "token \($0) of " } ?? "")sequence \(sequence) are not "
                + "numbers; its weights, or an adapter's, may be damaged, or too large for the type "
                + "`dtype`"
        case .tooLong(let tokens, let limit):
            "a sequence has \(tokens) tokens, but the model has positions for \(limit)"
        case .tooLarge(let file, let bytes, let room, let place):
            "\(file) asks for weights of \(gigabytes(bytes)), but there are \(gigabytes(room)) of "
                + "\(place): smaller sizes or fewer layers fit"
        case .unknownToken(let id, let vocabulary):
            "token id \(id) is not in the model's vocabulary of \(vocabulary)"
        case .unknownType(let id, let types):
            "type id \(id) is not one of the model's \(types) (type_vocab_size)"
        }
    }

    private func gigabytes(_ bytes: Double) -> String {
        String(format: bytes < 1e11 ? "%.1f GB" : "%.0f GB", bytes / 1e9)
    }
}
