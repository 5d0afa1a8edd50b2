import DualModules
import DualTorch

/// A method that has a form for embeddings beside that for linear layers.
public protocol EmbeddingAdapterMethod: LinearAdapterMethod {
    /// A fresh adapter for one embedding; its numbers come from `generator` alone.
    func makeAdapter(
        for base: Embedding, using generator: Generator
    ) throws -> any EmbeddingAdapter
}
