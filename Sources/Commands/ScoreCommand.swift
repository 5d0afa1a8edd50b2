import ArgumentParser
import FineTuning
import Foundation

extension GenerationMetric: ExpressibleByArgument {}
extension E2EText: ExpressibleByArgument {}

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Score generated texts against their references.",
        discussion: """
            BLEU, NIST, METEOR, ROUGE-L and CIDEr as the E2E challenge's own scorer computes them; \
            METEOR matches words and stems, but no synonyms and paraphrases.

            Example:
              duallora score --hypotheses out.txt --references refs.txt
              duallora score --hypotheses out.txt --e2e testset_w_refs.csv --metrics bleu meteor
            """)

    @Option(help: "File of the texts, one a line.", completion: .file())
    var hypotheses: String

    @Option(
        help: """
            File of the references, one a line, with an empty line between those of two texts; \
            without any, one for each text.
            """, completion: .file())
    var references: String?

    @Option(
        help: "References from a CSV file of the E2E challenge, a text for each meaning in order.",
        completion: .file(extensions: ["csv"]))
    var e2e: String?

    @Option(
        help: """
            The form of the references from --e2e: spaced, as the task e2e writes by default, or \
            plain, as in the file. Default: plain.
            """)
    var e2eText: E2EText?

    @Option(
        parsing: .upToNextOption,
        help: """
            What to compute: \(GenerationMetric.allValueStrings.joined(separator: ", ")). \
            Default: all.
            """)
    var metrics: [GenerationMetric] = []

    @Flag(help: "Print the scores as JSON.")
    var json = false

    func validate() throws {
        guard (references == nil) != (e2e == nil) else {
            throw ValidationError("Give either --references or --e2e.")
        }
        guard e2eText == nil || e2e != nil else {
            throw ValidationError("--e2e-text: --references are scored as they stand")
        }
    }

    func run() throws {
        let texts = try GeneratedTextFiles.texts(in: URL(fileURLWithPath: hypotheses))
        let groups = try referenceGroups()
        guard texts.count == groups.count else {
            throw CommandError(
                "\(hypotheses): the file has \(texts.count) texts, "
                    + "but \(references ?? e2e ?? "") has references for \(groups.count)")
        }
        let segments = zip(texts, groups).map { GenerationSegment(hypothesis: $0, references: $1) }
        let wanted = metrics.isEmpty ? GenerationMetric.allCases : metrics
        let values = try GenerationMetric.values(wanted, of: segments)
        guard json else {
            for (metric, value) in values { print("\(metric.rawValue) \(decimal(value))") }
            return
        }
        var object: [String: Any] = ["texts": texts.count]
        for (metric, value) in values { object[metric.rawValue] = jsonNumber(value) }
        try printJSON(object)
    }

    private func referenceGroups() throws -> [[String]] {
        if let e2e {
            let pairs = try E2EFiles.pairs(in: URL(fileURLWithPath: e2e))
            let text = e2eText ?? .plain
            return E2EFiles.inputs(pairs).map { $0.references.map(text.form) }
        }
        return try GeneratedTextFiles.references(in: URL(fileURLWithPath: references ?? ""))
    }
}
