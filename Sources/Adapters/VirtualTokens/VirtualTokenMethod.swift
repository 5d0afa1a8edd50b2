/// A method whose adapter is virtual tokens before each sequence.
public protocol VirtualTokenMethod: AdapterMethod {
    /// How many there are; they take the first of the model's positions.
    var virtualTokens: Int { get }
}

extension VirtualTokenMethod {
    public func firstSizes(
        at path: String, outputSize: Int, inputSize: Int
    ) throws -> [String: Int] {
        path.isEmpty ? [VectorTable.savedName: virtualTokens] : [:]
    }
}
