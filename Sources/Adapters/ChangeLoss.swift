/// What is lost of the change of one layer's weight where it is kept in fewer numbers, or in shorter ones.
public struct ChangeLoss: Sendable {
    public let path: String
    /// Of ΔW, and of what is lost of it, in the Frobenius norm.
    public let norm, error: Double

    public init(path: String, norm: Double, error: Double) {
        self.path = path
        self.norm = norm
        self.error = error
    }

    /// The share of ΔW's norm that is lost; 0 where nothing changes.
    public var share: Double { norm > 0 ? error / norm : 0 }
}

extension Sequence<ChangeLoss> {
    /// The lost share of all layers' changes together, in the Frobenius norm.
    public var lostShare: Double {
        func total(_ quantity: KeyPath<ChangeLoss, Double>) -> Double {
            reduce(0) { $0 + $1[keyPath: quantity] * $1[keyPath: quantity] }.squareRoot()
        }
        return total(\.norm) > 0 ? total(\.error) / total(\.norm) : 0
    }
}
