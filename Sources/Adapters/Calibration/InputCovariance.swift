import DualModules
import DualTorch

/// The mean of xᵀ x over samples of a layer's input, each divided by its largest element.
///
/// It is in the layer's slot while the model runs, and leaves the layer's output as it is.
/// Reference: PEFT's `calib_cov_distribution`, which divides by the largest element's magnitude,
/// not by the largest magnitude.
final class InputCovariance: LinearAdapter {
    /// (in, in), in float32 or wider.
    private var sum: Tensor?
    private var samples = 0

    /// The covariances (in, in) of what reaches layers while `run` passes samples through their
    /// model.
    static func watching(_ layers: [Linear], _ run: () throws -> Void) throws -> [Tensor] {
        let adapters = layers.map(\.adapter)
        defer { for (layer, adapter) in zip(layers, adapters) { layer.adapter = adapter } }
        let probes = layers.map { _ in InputCovariance() }
        for (layer, probe) in zip(layers, probes) { layer.adapter = probe }
        try run()
        return try zip(layers, probes).map { layer, probe in
            guard let sum = probe.sum else {
                throw AdapterError.notCalibrated(layer: layer.path, reason: "no input reached it")
            }
            probe.sum = nil
            return try sum.multiply(by: 1 / Double(probe.samples))
        }
    }

    var parameters: [(name: String, value: Tensor)] { [] }

    func callAsFunction(_ x: Tensor, through base: Linear, mode: ForwardMode) throws -> Tensor {
        let rows = try x.detached().wide().reshaped(-1, base.inputSize)  // (T, in)
        let largest = try abs(rows.maximum().item())
        guard largest.isFinite, largest > 0 else {
            throw AdapterError.notCalibrated(
                layer: base.path, reason: "the largest element of an input is \(largest)")
        }
        let scaled = try rows / largest
        let covariance = try scaled.transposed().matmul(scaled)
        sum = try sum?.add(covariance) ?? covariance
        samples += 1
        return try base.frozen(x)
    }
}
