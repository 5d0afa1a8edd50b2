import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

/// Whole models in float32, where kernels compute, against float64, where LibTorch's operators do.
@Suite struct GradientTests {
    /// Logits, and the gradient of Σ logits² at each parameter.
    private func evaluate(
        _ model: any TransformerModel, _ batch: TokenBatch
    ) throws -> [(name: String, value: Tensor)] {
        for parameter in model.parameters { try parameter.value.requireGradient() }
        let hidden = try model.hiddenStates(batch, mode: .inference)
        let logits = try #require(try model.logits(ofHidden: hidden, mode: .inference))
        try logits.squared().sum().backward()
        return [(name: "logits", value: try logits.detached())]
            + (try model.parameters.map { (name: $0.name, value: try gradient(of: $0)) })
    }

    private func gradient(of parameter: Parameter) throws -> Tensor {
        try parameter.value.gradient() ?? Tensor.zeros(like: parameter.value)
    }

    private func expectClose(_ models: [any TransformerModel], _ batch: TokenBatch) throws {
        let (found, exact) = (try evaluate(models[0], batch), try evaluate(models[1], batch))
        let greatest = try exact.dropFirst().map { try $0.value.magnitude().maximum().item() }.max()
        for (a, b) in zip(found, exact) {
            // Parts of a key's bias cancel: what is left has the rounding of what it was made of.
            let size = try b.value.magnitude().maximum().item()
            let bound = 1e-5 * size + 1e-6 * (greatest ?? 0)
            #expect(try a.value.isClose(to: b.value, absolute: bound), "\(a.name)")
        }
    }

    @Test("A decoder's gradients are those of float64", arguments: TinyDecoder.all)
    func decoders(_ decoder: TinyDecoder) throws {
        let models = try [DType.float32, .float64].map { try decoder.make(computeType: $0) }
        try expectClose(models, .seeded(lengths: [9, 4]))
    }

    @Test("An encoder's gradients are those of float64")
    func encoder() throws {
        let models = try [DType.float32, .float64].map { try Bert.tiny(computeType: $0) }
        try expectClose(models, .seeded(lengths: [9, 4]))
    }
}
