/// A checkpoint that does not fit the model being built from it.
public enum WeightError: Error, Equatable, CustomStringConvertible {
    case missing(name: String, folder: String)
    /// In a file that the index of the shards does not list.
    case unlisted(name: String, index: String, file: String)
    case wrongShape(name: String, file: String, expected: [Int], found: [Int])
    indirect case several([WeightError])

    public var description: String {
        switch self {
        case .missing(let name, let folder):
            "the checkpoint in \(folder) has no tensor '\(name)'; is it of another architecture?"
        case .unlisted(let name, let index, let file):
            "\(index) lists no file with the tensor '\(name)', which \(file) has"
        case .wrongShape(let name, let file, let expected, let found):
            "\(file): '\(name)' has shape \(found), but config.json asks for \(expected)"
        case .several(let errors):
            "\(errors.count) tensors do not fit: "
                + errors.prefix(Self.mostListed).map { "\($0)" }.joined(separator: "; ")
                + (errors.count > Self.mostListed ? "; and so on" : "")
        }
    }

    private static let mostListed = 8
}
