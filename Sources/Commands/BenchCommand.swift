import ArgumentParser
import DualBenchmark
import FineTuning
import Foundation

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Time training steps on random weights.",
        discussion: """
            One optimizer step on a fixed batch of random token ids: forward, backward, AdamW; the median \
            of --steps, after two that are not timed. The projections q, k, v, up and down are adapted \
            where the model has them; dual-lora's update stands fully open. --json prints one line with \
            the fields of Benchmarks/peft_step.py and more.

            --write-weights makes a folder of weights, tensor by tensor, from which --weights maps them: \
            a model may then take most of the memory. --layer times one adapted layer by itself, beside \
            its products.

            Example:
              duallora bench --config config.json --method dual-lora --rank 16 --batch 4 --length 256 --json
              duallora bench --layer 4096x4096 --method dual-lora --rank 32 --tokens 2048
            """)

    @Option(
        name: .customLong("config"),
        help: "config.json of a decoder. Default: the one in --weights.",
        completion: .file(extensions: ["json"]))
    var configurationFile: String?

    @Option(
        help: "Map the weights of this model, a folder or org/name, instead of drawing them.",
        completion: .directory)
    var weights: String?

    @Option(
        help: "Write random weights for --config to this folder, and stop.", completion: .directory)
    var writeWeights: String?

    @Option(help: "Time one layer: outputs x inputs, such as 4096x11008.")
    var layer: LayerSize?

    @Option(
        help: "The method: \(MethodRegistry.names.joined(separator: ", ")).",
        completion: .list(MethodRegistry.names))
    var method: String = "dual-lora"

    @OptionGroup(title: "Method") var options: MethodOptionArguments

    @Option(parsing: .unconditional, help: "Sequences of the batch. Default 4.")
    var batch: Int?

    @Option(parsing: .unconditional, help: "Tokens of a sequence. Default 256.")
    var length: Int?

    @Option(parsing: .unconditional, help: "--layer: rows of its input. Default 2048.")
    var tokens: Int?

    @Flag(help: "--layer: store the weight as inputs x outputs, as GPT-2 does.")
    var transposed = false

    @Option(parsing: .unconditional, help: "Steps to time.")
    var steps: Int = 7

    @Flag(help: "Keep only each block's inputs for the backward, and compute it again.")
    var activationCheckpointing = false

    @Flag(
        help: """
            Time the products that a step cannot do without, too: once after each step, by LibTorch.
            """)
    var limit = false

    @Option(help: ComputeTypeArgument.help)
    var dtype = ComputeTypeArgument.automatic

    @OptionGroup(title: "Computing") var compute: DeviceOptions

    @OptionGroup(title: "Computing") var storage: WeightOptions

    @Option(help: "Decides the weights and the tokens.")
    var seed: UInt64 = 0

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let device = try compute.apply(savesMemory: activationCheckpointing)
        try refuseStrangers()
        if let layer { return try time(layer) }
        if let writeWeights { return try write(to: writeWeights) }
        try timeSteps(on: device)
    }

    /// Options that say nothing to what is asked for.
    private func refuseStrangers() throws {
        let ofSteps = [
            ("config", configurationFile != nil), ("weights", weights != nil),
            ("write-weights", writeWeights != nil), ("batch", batch != nil),
            ("length", length != nil), ("limit", limit),
            ("quantize", storage.quantize != nil), ("device", compute.device != "cpu"),
            ("activation-checkpointing", activationCheckpointing),
            ("targets", try options.selection != nil),
        ]
        let ofLayer = [("tokens", tokens != nil), ("transposed", transposed)]
        if layer != nil, let strange = ofSteps.first(where: \.1) {
            throw CommandError("--\(strange.0): does not go with --layer")
        }
        if layer == nil, let strange = ofLayer.first(where: \.1) {
            throw CommandError("--\(strange.0): goes with --layer alone")
        }
        if weights != nil, writeWeights != nil {
            throw CommandError("--write-weights: does not go with --weights")
        }
    }

    private func configuration(beside weights: URL?) throws -> URL {
        if let configurationFile { return URL(fileURLWithPath: configurationFile) }
        guard let weights else { throw CommandError("--config: name the config.json of a model") }
        return weights.appendingPathComponent("config.json")
    }

    private func write(to path: String) throws {
        // As checkpoints are published, whatever this machine computes in.
        let type = dtype.named ?? .bfloat16
        let (tensors, bytes) = try RandomCheckpoint.write(
            configuration(beside: nil), dtype: type, seed: seed, to: folder(path))
        print("\(path): \(tensors) tensors of \(type.rawValue), \(bytes.formatted) bytes")
    }

    private func timeSteps(on device: Device) throws {
        let method = try options.make(method)
        let type = ComputeTypeChoice(dtype.named, on: device)
        let weights = try weights.map { try located($0, for: .model).url }
        var benchmark = StepBenchmark(
            configuration: try configuration(beside: weights), method: method)
        benchmark.weights = weights
        benchmark.targets = try options.selection
        benchmark.batch = batch ?? benchmark.batch
        benchmark.length = length ?? benchmark.length
        benchmark.steps = steps
        benchmark.computeType = type.dtype
        benchmark.quantization = storage.quantize
        benchmark.device = device
        benchmark.seed = seed
        benchmark.checkpointsActivations = activationCheckpointing
        benchmark.measuresLimit = limit
        let measurement = try benchmark.run()
        type.tell()
        if measurement.weightsAreMapped == false {
            note(
                "note: the weights are not in the type that is used: they are converted, not mapped"
            )
        }
        print(json ? try jsonLine(measurement) : measurement.text)
    }

    private func time(_ layer: LayerSize) throws {
        guard let method = try options.make(method) as? any LinearAdapterMethod else {
            throw CommandError("--layer: \(method) adapts no layer; name another --method")
        }
        let type = ComputeTypeChoice(dtype.named)
        var benchmark = LayerBenchmark(
            outputSize: layer.outputs, inputSize: layer.inputs, method: method)
        benchmark.tokens = tokens ?? benchmark.tokens
        benchmark.steps = steps
        benchmark.computeType = type.dtype
        benchmark.isTransposed = transposed
        benchmark.seed = seed
        let measurement = try benchmark.run()
        type.tell()
        print(json ? try jsonLine(measurement) : measurement.text)
    }
}

/// "4096x11008": outputs and inputs of a layer.
struct LayerSize: ExpressibleByArgument {
    let outputs: Int
    let inputs: Int

    init?(argument: String) {
        let sizes = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sizes.count == 2, let outputs = sizes[0], let inputs = sizes[1] else { return nil }
        (self.outputs, self.inputs) = (outputs, inputs)
    }
}
