import ArgumentParser
import DualLoRA

/// The method of a run and its options.
struct MethodArguments: ParsableArguments {
    @Option(help: "The method: \(MethodRegistry.names.joined(separator: ", ")).")
    var method: String

    @OptionGroup var options: MethodOptionArguments

    func make() throws -> any FineTuningMethod { try options.make(method) }

    var selection: TargetSelection? { options.selection }
}

/// The options of any method.
struct MethodOptionArguments: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Rank, the trainable budget. dual-lora gives half of it to each of its two groups, so \
            that equal ranks mean equal parameters. Default 16.
            """)
    var rank: Int?

    @Option(parsing: .unconditional, help: "dual-lora: r1, the rank of B A.")
    var magnitudeRank: Int?

    @Option(parsing: .unconditional, help: "dual-lora: r2, the rank of D C.")
    var directionRank: Int?

    @Option(
        parsing: .unconditional,
        help: "Scale: alpha / rank, or alpha / sqrt(r1 r2). Default: what makes it 2.")
    var alpha: Double?

    @Option(
        parsing: .unconditional,
        help: "Probability of dropping elements of the adapter's input. Default 0.")
    var dropout: Double?

    @Option(
        parsing: .unconditional,
        help: """
            dual-lora: steps over which the update is faded in; 0 for none. Default: those in which \
            the learning rate rises.
            """)
    var gateSteps: Int?

    @Option(
        name: .customLong("init-std"), parsing: .unconditional,
        help: """
            dual-lora: deviation of the factors' start. Default: so that the update starts at 2 % \
            of the weight.
            """)
    var initialDeviation: Double?

    @Option(
        help: """
            Layers to adapt: last words of their names, with commas, or all-linear. Default: \
            what PEFT adapts (BERT: query,value).
            """)
    var targets: String?

    func make(_ method: String) throws -> any FineTuningMethod {
        var options = MethodOptions()
        options.rank = rank
        options.magnitudeRank = magnitudeRank
        options.directionRank = directionRank
        options.alpha = alpha
        options.dropout = dropout
        options.gateSteps = gateSteps
        options.initialDeviation = initialDeviation
        return try MethodRegistry.method(named: method).init(options)
    }

    var selection: TargetSelection? { targets.map { TargetSelection($0) } }
}
