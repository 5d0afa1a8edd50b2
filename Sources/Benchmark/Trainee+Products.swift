import DualAdapters
import DualModels
import DualModules
import DualTorch
import DualTraining

/// Notes the input of a layer, and runs the layer as it is.
private final class LayerProbe: LinearAdapter {
    let inner: (any LinearAdapter)?
    private let sequences: Int
    /// What the last input leads through the layer.
    private(set) var step: PartStep?

    init(_ inner: (any LinearAdapter)?, sequences: Int) {
        (self.inner, self.sequences) = (inner, sequences)
    }

    var parameters: [(name: String, value: Tensor)] { inner?.parameters ?? [] }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        step = PartStep(
            of: x, sequences: sequences, outputSize: base.outputSize, inputSize: base.inputSize)
        return try inner?(x, through: base, mode: mode) ?? base.frozen(x)
    }
}

/// Notes the input of an adapter at the end of a block, and runs the adapter.
private final class BlockProbe: BlockAdapter {
    let inner: any BlockAdapter
    private let sequences: Int
    private(set) var step: PartStep?

    init(_ inner: any BlockAdapter, sequences: Int) {
        (self.inner, self.sequences) = (inner, sequences)
    }

    var parameters: [(name: String, value: Tensor)] { inner.parameters }

    func callAsFunction(_ x: Tensor, at place: TokenPlaces, mode: ForwardMode) throws -> Tensor {
        step = PartStep(
            of: x, sequences: sequences, outputSize: x.size(-1), inputSize: x.size(-1))
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
        let layerProbes = layers.map { LayerProbe($0.adapter, sequences: sequences.count) }
        let blockProbes = blocks.map {
            $0.adapter.map { BlockProbe($0, sequences: sequences.count) }
        }
        defer {
            for (layer, probe) in zip(layers, layerProbes) { layer.adapter = probe.inner }
            for (block, probe) in zip(blocks, blockProbes) { block.adapter = probe?.inner }
        }
        for (layer, probe) in zip(layers, layerProbes) { layer.adapter = probe }
        for (block, probe) in zip(blocks, blockProbes) { block.adapter = probe }
        let hidden = try model.hiddenStates(layout.batch(sequences), mode: mode)
        let own =
            layerProbes.flatMap { $0.step?.products(of: $0.inner) ?? [] }
            + blockProbes.flatMap { $0?.step?.products(of: $0?.inner) ?? [] }
            + virtualTokenProducts(sequences)
        let reached = zip(layers, layerProbes).compactMap { layer, probe in
            probe.step.map {
                LayerProducts(
                    layer: layer, rows: $0.rows, atInput: $0.atInput,
                    atWeight: layer.weight.stored.requiresGradient)
            }
        }
        return StepProducts(layers: reached + headProducts(sequences, hidden), own: own)
    }

    private func headProducts(_ sequences: [[Int]], _ hidden: Tensor) -> [LayerProducts] {
        guard let head = model.head else { return [] }
        // Only tokens that predict another go through the head.
        let rows = sequences.reduce(0) { $0 + $1.count - 1 }
        return [
            LayerProducts(
                layer: head, rows: rows, atInput: hidden.requiresGradient,
                atWeight: head.weight.stored.requiresGradient)
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

extension PartStep {
    /// What an input x (..., k) leads through a part.
    fileprivate init(of x: Tensor, sequences: Int, outputSize: Int, inputSize: Int) {
        self.init(
            rows: x.count / x.size(-1), sequences: sequences, outputSize: outputSize,
            inputSize: inputSize, atInput: x.requiresGradient)
    }
}
