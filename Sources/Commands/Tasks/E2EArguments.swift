import ArgumentParser
import FineTuning
import Foundation

/// How a run on the E2E challenge reads, decodes and shows.
struct E2EArguments: TaskArguments {
    static let owners = "e2e"

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

    func isFor(_ task: any TrainingTask) -> Bool { task is E2ETraining }

    func applied(to task: any TrainingTask, in data: DataArguments) -> any TrainingTask {
        guard var task = task as? E2ETraining else { return task }
        task.text = text ?? task.text
        task.decoding.beams = beams ?? task.decoding.beams
        task.labelSmoothing = labelSmoothing ?? task.labelSmoothing
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
