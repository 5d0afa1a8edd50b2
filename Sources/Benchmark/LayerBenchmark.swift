import DualAdapters
import DualModules
import DualTorch
import DualTraining

/// Times one adapted layer alone: forward and backward, to the input and to what the adapter trains,
/// beside the layer's own products, each measured after each step.
package struct LayerBenchmark {
    package var outputSize: Int
    package var inputSize: Int
    package var method: any LinearAdapterMethod
    /// Rows of the layer's input.
    package var tokens = 2048
    package var steps = 7
    package var computeType = DType.bfloat16
    /// Whether the weight is stored as (in, out), as GPT-2's are.
    package var isTransposed = false
    package var seed: UInt64 = 0

    package init(outputSize: Int, inputSize: Int, method: any LinearAdapterMethod) {
        self.outputSize = outputSize
        self.inputSize = inputSize
        self.method = method
    }

    /// Measures, after as many steps that are not timed as ``StepBenchmark`` has.
    /// - Throws: ``TrainingError/badOption(name:reason:)``, ``TorchError``.
    package func run() throws -> LayerMeasurement {
        try checkRanges([
            ("layer", outputSize, 1...1_000_000), ("layer", inputSize, 1...1_000_000),
            ("tokens", tokens, 1...10_000_000), ("steps", steps, 1...1_000_000),
        ])
        let generator = try Generator(seed: seed)
        let layer = try makeLayer(using: generator)
        let step = PartStep(
            rows: tokens, outputSize: outputSize, inputSize: inputSize, atInput: true)
        let products = StepProducts(
            layers: [LayerProducts(layer: layer, rows: tokens, atInput: true, atWeight: false)],
            own: step.products(of: layer.adapter))
        let operands = ProductOperands(computeType, using: generator)
        let mode = ForwardMode.training(generator)
        for _ in 0..<StepBenchmark.warmUpSteps {
            _ = try time(layer, operands, mode)
            _ = try products.run(operands)
        }
        var (times, limits) = ([LayerTimes](), [Double]())
        for _ in 0..<steps {
            times.append(try time(layer, operands, mode))
            limits.append(try products.run(operands))
        }
        return LayerMeasurement(times, limits, products, of: self)
    }

    private func makeLayer(using generator: Generator) throws -> Linear {
        let shape = isTransposed ? [inputSize, outputSize] : [outputSize, inputSize]
        let stored = try Tensor.normal(
            shape, deviation: 0.02, dtype: computeType, using: generator)
        let layer = Linear(path: "layer", weight: isTransposed ? try stored.transposed() : stored)
        let parts = try method.makeAdapters(for: [layer], using: generator)
        guard case .linear(_, let adapter)? = parts.placed.first else { return layer }
        (adapter as? any StepAwareAdapter)?
            .prepare(TrainingProgress(step: 1, totalSteps: 1, warmupSteps: 1))
        for (_, tensor) in adapter.parameters { try tensor.requireGradient() }
        layer.adapter = adapter
        return layer
    }

    private func time(
        _ layer: Linear, _ operands: ProductOperands, _ mode: ForwardMode
    ) throws -> LayerTimes {
        let input = try operands.matrix(tokens, inputSize).detached().requireGradient()
        let gradient = try operands.matrix(tokens, outputSize)
        let start = ContinuousClock.now
        let output = try layer(input, mode: mode)
        let forward = start.millisecondsAgo
        try output.backward(seed: gradient)
        let whole = start.millisecondsAgo
        for (_, tensor) in layer.adapter?.parameters ?? [] { try tensor.setGradient(nil) }
        return LayerTimes(forward: forward, backward: whole - forward)
    }
}
