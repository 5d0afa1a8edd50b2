import DualAdapters
import DualModels
import DualModules
import DualTorch

/// Notes what reaches a layer in a pass, and lets it do what it does.
private final class LayerProbe: LinearAdapter {
    private let inner: (any LinearAdapter)?
    /// Rows of the last input, and whether gradients flow to it.
    private(set) var seen: (rows: Int, flows: Bool)?

    init(_ inner: (any LinearAdapter)?) { self.inner = inner }

    var parameters: [(name: String, value: Tensor)] { inner?.parameters ?? [] }

    func weightUpdate(for base: Linear) throws -> Tensor {
        try inner?.weightUpdate(for: base) ?? Tensor.zeros([base.outputSize, base.inputSize])
    }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        seen = (x.count / x.size(-1), x.requiresGradient)
        return try inner?(x, through: base, mode: mode) ?? base.frozen(x)
    }
}

extension Trainee {
    /// The products of one step on a batch, in the order of its forward: those of every linear layer
    /// and of the head. Attention's own are not counted, nor an adapter's thin ones.
    ///
    /// Which gradients are needed is seen in one forward pass.
    func products(of sequences: [[Int]], layout: SequenceLayout, mode: ForwardMode) throws
        -> [LayerProducts]
    {
        let probes = model.linears.map { LayerProbe($0.adapter) }
        let adapters = model.linears.map(\.adapter)
        defer { for (layer, adapter) in zip(model.linears, adapters) { layer.adapter = adapter } }
        for (layer, probe) in zip(model.linears, probes) { layer.adapter = probe }
        let hidden = try model.hiddenStates(layout.batch(sequences), mode: mode)
        var products = zip(model.linears, zip(probes, adapters)).compactMap { layer, found in
            found.0.seen.map { seen in
                LayerProducts(
                    layer: layer, rows: seen.rows, atInput: seen.flows,
                    atWeight: trainsWhole(layer, adapted: found.1 != nil))
            }
        }
        if let head = model.head {
            // Only the places that predict something go through the head.
            let rows = sequences.reduce(0) { $0 + $1.count - 1 }
            products.append(
                LayerProducts(
                    layer: head, rows: rows, atInput: hidden.requiresGradient,
                    atWeight: trainsWhole(head, adapted: false)))
        }
        return products
    }

    private func trainsWhole(_ layer: Linear, adapted: Bool) -> Bool {
        layer.weight.value.requiresGradient
            || adapted && type(of: method).stepProducts == 3
    }
}
