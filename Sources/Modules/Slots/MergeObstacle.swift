/// Why a layer's adapter cannot become a part of its weights.
public enum MergeObstacle: Error, Equatable, CustomStringConvertible {
    case noWeightChange(layer: String)
    case noBias(layer: String)

    public var description: String {
        switch self {
        case .noWeightChange(let layer):
            "'\(layer)' cannot be merged: the adapter's change is none of its weight"
        case .noBias(let layer):
            "'\(layer)' cannot be merged: the adapter changes its bias, and it has none"
        }
    }
}
