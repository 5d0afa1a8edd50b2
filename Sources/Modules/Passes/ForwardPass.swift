import DualTorch

/// One forward pass through a model's blocks: what they share, and what a prefix gives each of them.
package protocol ForwardPass {
    /// One block's share of the pass.
    associatedtype Layer

    var mode: ForwardMode { get }
    /// The sequences' tokens in the rows that go through the blocks.
    var places: TokenPlaces { get }

    /// The prefix's keys and values in one layer: what its block takes of the graph beside its input.
    /// - Returns: two tensors (V, G, D); none where the model has no prefix.
    func prefix(ofLayer index: Int) -> [Tensor]

    /// One block's share of the pass.
    /// - Parameter prefix: ``prefix(ofLayer:)``, or the same tensors where a block is run again.
    func layer(_ index: Int, prefix: [Tensor]) -> Layer
}

extension ForwardPass {
    /// Runs the blocks one after another, each followed by the adapter at its end.
    /// - Parameter embedded: (B, T, E)
    package func run(
        _ blocks: [any TransformerBlock<Layer>], on embedded: Tensor
    ) throws -> ResidualStream {
        try blocks.enumerated().reduce(ResidualStream(embedded)) { input, next in
            let (index, block) = next
            return try mode.running(input, with: prefix(ofLayer: index)) { input, prefix in
                try block.end(
                    block(input, layer(index, prefix: prefix)), at: places, mode: mode)
            }
        }
    }
}
