import ArgumentParser
import DualLoRA
import Foundation

struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "List the methods.",
        discussion: """
            Parameters are those of one layer of d x k, also counted for the layer and rank given.

            Example:
              duallora methods --rank 32 --output-size 4096 --input-size 4096
            """)

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
        let rows = try MethodRegistry.methods.map { method in
            var options = MethodOptions()
            // Full fine-tuning has no rank.
            if method is any AdapterMethod.Type { options.rank = rank }
            let made = try method.init(options)
            return (
                facts: method.facts, rate: made.defaultLearningRate,
                count: made.parameterCount(outputSize: outputSize, inputSize: inputSize)
            )
        }
        if json {
            let objects: [[String: Any]] = rows.map { row in
                [
                    "name": row.facts.name, "title": row.facts.title,
                    "equation": row.facts.equation, "parameters": row.facts.parameterFormula,
                    "count": row.count, "merges": row.facts.merges, "source": row.facts.source,
                    "default_learning_rate": row.rate,
                ]
            }
            return try printJSON([
                "rank": rank, "output_size": outputSize, "input_size": inputSize,
                "methods": objects,
            ])
        }
        let header = [
            "method", "parameters of d x k", "\(outputSize) x \(inputSize), rank \(rank)", "merges",
            "rate", "equation", "source",
        ]
        let lines = rows.map { row in
            [
                row.facts.name, row.facts.parameterFormula, row.count.formatted,
                row.facts.merges ? "yes" : "-", "\(row.rate)", row.facts.equation, row.facts.source,
            ]
        }
        print(textTable(header, lines))
    }
}
