import ArgumentParser
import DualBenchmark
import FineTuning
import Foundation

struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "List the methods, or the options of one.",
        discussion: """
            Parameters are those of one layer of d x k, also counted for the layer and rank given. \
            Products are those of T·d·k in a training step of one layer: full fine-tuning makes three. \
            What a method does, where it is from and its options are told where it is named.

            Example:
              duallora methods --rank 32 --output-size 4096 --input-size 4096
              duallora methods dual-lora
            """)

    @Argument(
        help: "A method, to list its options.", completion: .list(MethodRegistry.names))
    var method: String?

    @Option(help: "Rank to count for.")
    var rank = 16

    @Option(help: "d, the outputs of the layer to count for.")
    var outputSize = 768

    @Option(help: "k, the inputs of the layer to count for.")
    var inputSize = 768

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        let sizes = 1...1_000_000
        guard sizes ~= outputSize, sizes ~= inputSize else {
            throw ValidationError("a layer has from 1 to 1000000 outputs and inputs")
        }
    }

    func run() throws {
        if let method { return try describe(MethodRegistry.method(named: method)) }
        let rows = try MethodRegistry.methods.map { method in
            let hasRank = method.options.contains { $0.name == "rank" }
            let made = try method.init(hasRank ? ["rank": String(rank)] : [:])
            return (
                facts: method.facts, rate: made.defaultLearningRate, products: method.stepProducts,
                count: made.parameterCount(outputSize: outputSize, inputSize: inputSize)
            )
        }
        if json {
            let objects: [[String: Any]] = rows.map { row in
                [
                    "name": row.facts.name, "title": row.facts.title,
                    "equation": row.facts.equation, "parameters": row.facts.parameterFormula,
                    "count": row.count, "merges": row.facts.merges, "source": row.facts.source,
                    "default_learning_rate": row.rate, "step_products": row.products,
                ]
            }
            return try printJSON([
                "rank": rank, "output_size": outputSize, "input_size": inputSize,
                "methods": objects,
            ])
        }
        let header = ["method", "parameters of d x k", "counted", "merges", "products", "rate"]
        let lines = rows.map { row in
            [
                row.facts.name, row.facts.parameterFormula, row.count.formatted,
                row.facts.merges ? "yes" : "-", "\(row.products)", "\(row.rate)",
            ]
        }
        print(textTable(header, lines))
        print("\nCounted for \(outputSize) x \(inputSize), rank \(rank).")
    }

    private func describe(_ method: any FineTuningMethod.Type) throws {
        let facts = method.facts
        let made = method.init()
        let sizes = made.settings.all.filter { Self.sizes.contains($0.name) }
        guard !json else {
            return try printJSON([
                "name": facts.name, "title": facts.title, "equation": facts.equation,
                "source": facts.source, "default_learning_rate": made.defaultLearningRate,
                "large_model_learning_rate": jsonNumber(method.largeModelRate?.rate),
                "sizes": Dictionary(uniqueKeysWithValues: sizes.map { ($0.name, $0.value) }),
                "options": method.options.map { ["name": $0.name, "help": help(of: $0)] },
            ])
        }
        print("\(facts.title): \(facts.equation)\n\(facts.source)")
        print(
            "\nrate: \(made.defaultLearningRate), found on encoders of 23 to 110 million parameters"
        )
        if let large = method.largeModelRate {
            print(
                "      \(large.rate) at LLaMA's size (\(large.source)): --learning-rate \(large.rate)"
            )
        }
        if !sizes.isEmpty {
            print("size: " + sizes.map { "--\($0.name) \($0.value)" }.joined(separator: ", "))
        }
        guard !method.options.isEmpty else { return }
        let rows = method.options.map {
            HelpRow(label: "--\($0.name) <value>", text: help(of: $0))
        }
        let lines = rows.flatMap { $0.lines(columns: Terminal.columns) }
        print("\nOPTIONS:\n" + lines.joined(separator: "\n"))
    }

    /// Options that say how much trains.
    private static let sizes = [
        "rank", "magnitude-rank", "direction-rank", "bottleneck", "virtual-tokens",
    ]

    private func help(of option: MethodOption) -> String { OptionSpelling.flags(in: option.help) }
}
