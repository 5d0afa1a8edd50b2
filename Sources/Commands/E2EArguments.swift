import ArgumentParser
import FineTuning
import Foundation

/// How a run on the E2E challenge reads, decodes and shows.
struct E2EArguments: ParsableArguments {
    @Option(
        name: .customLong("e2e-text"),
        help: """
            e2e: the form of the texts: spaced (words and signs apart, as in the data of \
            microsoft/LoRA) or plain (as in the challenge's files). Default: spaced.
            """)
    var text: E2EText?

    @Option(
        name: .customLong("e2e-beams"), parsing: .unconditional,
        help: "e2e: search along so many continuations when decoding. Default: 10.")
    var beams: Int?

    @Option(
        parsing: .unconditional,
        help: "e2e: the share of a target that all tokens have alike. Default: 0.1.")
    var labelSmoothing: Double?

    func trainingTask(_ scoring: ScoringArguments) throws -> E2ETraining {
        var task = E2ETraining()
        task.text = text ?? task.text
        task.decoding.beams = beams ?? task.decoding.beams
        task.labelSmoothing = labelSmoothing ?? task.labelSmoothing
        task.limit = scoring.limit
        task.predictions = try scoring.predictionsFile()
        return task
    }

    /// What the user gave.
    var given: [(name: String, isGiven: Bool)] {
        [
            ("e2e-text", text != nil), ("e2e-beams", beams != nil),
            ("label-smoothing", labelSmoothing != nil),
        ]
    }
}
