/// An adapter that a format has no place for.
public enum ConvertError: Error, Equatable, CustomStringConvertible {
    /// - Parameter what: the part of the adapter.
    case noPlaceInGGUF(what: String)
    /// - Parameter method: the adapter's.
    case noRank(method: String)

    public var description: String {
        switch self {
        case .noPlaceInGGUF(let what):
            "an adapter for llama.cpp has no place for \(what); merge it into the model instead: "
                + "`duallora merge --format gguf`"
        case .noRank(let method):
            "`rank`: the adapter is \(method), which changes more than a LoRA can say as it is; "
                + "give the rank of the LoRA that comes nearest"
        }
    }
}
