import ArgumentParser
import DualLoRA
import Foundation

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Time training steps on random weights.",
        discussion: """
            One optimizer step on one fixed batch of random token ids: forward, backward, AdamW. The
            median of --steps is told, after two that are not timed; dual-lora's update stands fully
            open. With --json, one line with the fields of Benchmarks/peft_step.py and more.

            Example:
              duallora bench --config config.json --method dual-lora --rank 16 --batch 4 --length 256 --json
            """)

    @Option(
        name: .customLong("config"), help: "config.json of a decoder; its weights are drawn.")
    var configurationFile: String

    @Option(help: "The method: \(MethodRegistry.names.joined(separator: ", ")).")
    var method: String = "dual-lora"

    @OptionGroup(title: "Method") var options: MethodOptionArguments

    @Option(parsing: .unconditional, help: "Sequences of the batch.")
    var batch: Int = 4

    @Option(parsing: .unconditional, help: "Tokens of a sequence.")
    var length: Int = 256

    @Option(parsing: .unconditional, help: "Steps to time.")
    var steps: Int = 7

    @Option(
        help: ArgumentHelp(
            "Compute in \(DType.allValueStrings.joined(separator: ", ")).", valueName: "type"))
    var dtype = DType.bfloat16

    @OptionGroup(title: "Computing") var compute: ComputeOptions

    @Option(help: "Decides the weights and the tokens.")
    var seed: UInt64 = 0

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        guard try compute.apply().kind == .cpu else {
            throw CommandError("--device: steps are timed on the cpu alone")
        }
        var benchmark = StepBenchmark(
            configuration: URL(fileURLWithPath: configurationFile),
            method: try options.make(method))
        benchmark.targets = options.selection
        benchmark.batch = batch
        benchmark.length = length
        benchmark.steps = steps
        benchmark.computeType = dtype
        benchmark.seed = seed
        try show(benchmark.run())
    }

    private func show(_ found: StepMeasurement) throws {
        guard !json else { return print(try jsonLine(found)) }
        print(
            """
            \(found.method) on \(found.config), \(found.batch) x \(found.length) tokens, \
            \(found.dtype), \(found.threads) threads (\(found.instructionSet))
            step: median \(found.medianMilliseconds) ms \
            (\(found.leastMilliseconds)-\(found.mostMilliseconds)), \
            \(found.tokensPerSecond) tokens/s
            forward \(found.forwardMilliseconds) ms, backward \(found.backwardMilliseconds) ms, \
            optimizer \(found.optimizerMilliseconds) ms
            \(found.trainable.formatted) parameters train, at most \(found.peakMemoryMiB) MiB resident
            """)
    }
}

/// A value as one line of JSON.
func jsonLine(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
