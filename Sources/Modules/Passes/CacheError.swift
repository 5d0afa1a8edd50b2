/// A cache that cannot take what it is given.
public enum CacheError: Error, Equatable, CustomStringConvertible {
    case full(tokens: Int, capacity: Int)

    public var description: String {
        switch self {
        case .full(let tokens, let capacity):
            "a cache for \(capacity) tokens cannot hold \(tokens)"
        }
    }
}
