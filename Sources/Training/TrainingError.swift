/// Why training stopped, or did not start.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    case badOption(name: String, reason: String)
    case notFinite(step: Int, learningRate: Double, checkpoint: String?)
    /// - Parameter checkpoint: nil where the run keeps none.
    case interrupted(step: Int, checkpoint: String?)
    case interruptedScore
    /// What was trained could not be saved.
    /// - Parameters:
    ///   - kept: the checkpoint that keeps it instead; nil where it could not be kept either.
    ///   - earlier: the newest checkpoint of the steps before.
    case unsaved(reason: String, kept: String?, earlier: String?)
    /// A model's loss on examples that it is scored on is no number.
    case scoreNotFinite(loss: Double, examples: Int)
    case noRoom(prompt: Int, new: Int, positions: Int)
    /// A method that trains the model's own weights, of which some are stored in quantised blocks.
    case quantized(method: String, weight: String, format: String)

    public var description: String {
        switch self {
        case .badOption(let name, let reason): "`\(name)`: \(reason)"
        case .notFinite(let step, let rate, let checkpoint):
            "the loss or its gradient is not a finite number at step \(step), at learning rate \(rate); try a lower one; "
                + (checkpoint.map { "the last good checkpoint is \($0)" }
                    ?? "there is no checkpoint")
        case .interrupted(let step, let checkpoint):
            step == 0
                ? "stopped before the first step; nothing is kept"
                : "stopped after step \(step)"
                    + (checkpoint.map { "; `resume` goes on from \($0)" } ?? "")
        case .interruptedScore:
            "stopped in the last score; what was trained is saved, and evaluate scores it"
        case .unsaved(let reason, let kept?, _):
            "\(reason); what was trained is kept: `resume` goes on from \(kept)"
        case .unsaved(let reason, nil, let earlier):
            "\(reason); what was trained could not be kept as a checkpoint either"
                + (earlier.map { ", and `resume` goes on from \($0)" } ?? "")
        case .scoreNotFinite(let loss, let examples):
            "the model's loss on \(examples) examples is \(loss): what it computes are not numbers; its "
                + "weights, or an adapter's, may be damaged, or too large for the type `dtype`"
        case .quantized(let method, let weight, let format):
            "\(method) trains the model's own weights, and '\(weight)' is stored in \(format), which stays as it "
                + "is; take a method whose base weights are frozen, such as lora or dual-lora, or a model that is "
                + "not quantised"
        case .noRoom(let prompt, let new, let positions):
            "a prompt of \(prompt) tokens and \(new) behind it are more than the model's \(positions) "
                + "positions; take a model with more, or, for commonsense, a smaller `max-length`"
        }
    }
}
