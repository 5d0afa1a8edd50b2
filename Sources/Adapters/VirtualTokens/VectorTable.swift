import DualModules
import DualTorch

/// Vectors that train themselves.
struct VectorTable: VirtualTokenVectors {
    /// (V, size)
    private let vectors: Tensor

    init(_ vectors: Tensor) { self.vectors = vectors }

    var count: Int { vectors.size(0) }

    var parameters: [(name: String, value: Tensor)] { [(Self.savedName, vectors)] }

    func callAsFunction(_ mode: ForwardMode) throws -> Tensor { vectors }

    func saved() throws -> [(name: String, value: Tensor)] { parameters }
}
