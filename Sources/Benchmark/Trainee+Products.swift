import DualAdapters
import DualModels
import DualModules
import DualTorch
import DualTraining

/// The input of a layer or of a block's end in one pass.
private struct Arrival {
    /// Its rows, and whether gradients flow to it.
    let rows: Int
    let flows: Bool

    init(_ x: Tensor) { (rows, flows) = (x.count / x.size(-1), x.requiresGradient) }
}

/// Notes the input of a layer, and runs the layer as it is.
private final class LayerProbe: LinearAdapter {
    let inner: (any LinearAdapter)?
    /// The last input.
    private(set) var seen: Arrival?

    init(_ inner: (any LinearAdapter)?) { self.inner = inner }

    var parameters: [(name: String, value: Tensor)] { inner?.parameters ?? [] }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        seen = Arrival(x)
        return try inner?(x, through: base, mode: mode) ?? base.frozen(x)
    }
}

/// Notes the input of an adapter at the end of a block, and runs the adapter.
private final class BlockProbe: BlockAdapter {
    let inner: any BlockAdapter
    private(set) var seen: Arrival?

    init(_ inner: any BlockAdapter) { self.inner = inner }

    var parameters: [(name: String, value: Tensor)] { inner.parameters }

    func callAsFunction(_ x: Tensor, at place: TokenPlaces, mode: ForwardMode) throws -> Tensor {
        seen = Arrival(x)
        return try inner(x, at: place, mode: mode)
    }
}

extension Trainee {
    /// The products of one step on a batch, in the order of its forward: those of every linear layer
    /// and of the head, and the adapter's own. Attention's own are not counted.
    ///
    /// Which gradients are needed is seen in one forward pass.
    func products(
        of sequences: [[Int]], layout: SequenceLayout, mode: ForwardMode
    ) throws -> StepProducts {
        let (layers, blocks) = (model.linears, model.slots.blocks)
        let layerProbes = layers.map { LayerProbe($0.adapter) }
        let blockProbes = blocks.map { $0.adapter.map(BlockProbe.init) }
        defer {
            for (layer, probe) in zip(layers, layerProbes) { layer.adapter = probe.inner }
            for (block, probe) in zip(blocks, blockProbes) { block.adapter = probe?.inner }
        }
        for (layer, probe) in zip(layers, layerProbes) { layer.adapter = probe }
        for (block, probe) in zip(blocks, blockProbes) { block.adapter = probe }
        let hidden = try model.hiddenStates(layout.batch(sequences), mode: mode)
        let reached = zip(layers, layerProbes).compactMap { layer, probe in
            probe.seen.map { (layer: layer, adapter: probe.inner, seen: $0) }
        }
        let own =
            reached.flatMap { layer, adapter, seen in
                PartStep(
                    seen, sequences, outputSize: layer.outputSize, inputSize: layer.inputSize
                ).products(of: adapter)
            }
            + zip(blocks, blockProbes).flatMap { block, probe in
                probe?.products(sequences, size: block.hiddenSize) ?? []
            } + virtualTokenProducts(sequences)
        return StepProducts(
            layers: reached.map { layer, _, seen in
                LayerProducts(
                    layer: layer, rows: seen.rows, atInput: seen.flows,
                    atWeight: layer.weight.value.requiresGradient)
            } + headProducts(sequences, hidden), own: own)
    }

    private func headProducts(_ sequences: [[Int]], _ hidden: Tensor) -> [LayerProducts] {
        guard let head = model.head else { return [] }
        // Only tokens that predict another go through the head.
        let rows = sequences.reduce(0) { $0 + $1.count - 1 }
        return [
            LayerProducts(
                layer: head, rows: rows, atInput: hidden.requiresGradient,
                atWeight: head.weight.value.requiresGradient)
        ]
    }

    /// The products of a prefix and of a prompt.
    private func virtualTokenProducts(_ sequences: [[Int]]) -> [MatrixProduct] {
        let slots = model.slots
        let heads = slots.blockLayers.first?.attentionOutput.inputSize ?? 0
        let step = PartStep(
            rows: sequences.reduce(0) { $0 + $1.count }, sequences: sequences.count,
            outputSize: heads, inputSize: heads, atInput: true)
        return step.products(of: slots.prefix?.adapter) + step.products(of: slots.prompt?.adapter)
    }
}

extension BlockProbe {
    fileprivate func products(_ sequences: [[Int]], size: Int) -> [MatrixProduct] {
        seen.map {
            PartStep($0, sequences, outputSize: size, inputSize: size).products(of: inner)
        } ?? []
    }
}

extension PartStep {
    fileprivate init(_ seen: Arrival, _ sequences: [[Int]], outputSize: Int, inputSize: Int) {
        self.init(
            rows: seen.rows, sequences: sequences.count, outputSize: outputSize,
            inputSize: inputSize, atInput: seen.flows)
    }
}
