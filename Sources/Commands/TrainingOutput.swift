import FineTuning
import Foundation

/// Runs, shows how it goes, and says what came of it.
/// - Parameter scoring: which of the texts of the last score are shown.
func show(_ run: FineTuningRun, json: Bool, scoring: ScoringArguments? = nil) throws {
    var predictions: [String] = []
    let result = try RunView.showing {
        let view = $0
        return try run.run(shouldStop: { Interrupt.happened }) { event in
            Interrupt.expect(event)
            if case .training(.predicted(let evaluation)) = event {
                predictions = evaluation.predictions
            }
            view.show(event)
        }
    }
    Interrupt.stopWatching()
    guard !json else {
        return print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
    let best = result.bestStep.map { " (of step \($0) of \(result.steps))" } ?? ""
    let saved =
        run.method is any AdapterMethod ? "adapter_model.safetensors" : "model.safetensors"
    // Where scores take long, only the loss is known of the beginning.
    let start = (result.before?.metrics[result.metric] ?? nil).map { "\(decimal($0)) -> " } ?? ""
    print(
        """
        \(result.metric) \(start)\(decimal(result.value)), loss \(decimal(result.before?.evaluationLoss)) -> \
        \(decimal(result.loss)) on the dev split\(best), \
        \(Int(result.seconds.rounded())) s of training
        \(run.output.relativePath)/: \(saved), result.json, train.jsonl, loss.svg
        """)
    let scores = result.metrics.compactMap { name, value in value.map { (name: name, value: $0) } }
    if let table = run.task.table(of: scores) { print("\n" + textTable(table)) }
    scoring?.show(predictions)
}

extension Interrupt {
    /// Lets a signal stop a run where it is. Before its first step it has nothing to keep.
    fileprivate static func expect(_ event: FineTuningRun.Event) {
        let step = "stopping after this step, with a checkpoint; once more stops at once"
        switch event {
        case .started: watch(saying: step)
        case .training(.scoring(let progress)) where progress.done < progress.total:
            say("stopping the score at its next batch; once more stops at once")
        case .training(.scoring), .training(.evaluated), .training(.step): say(step)
        case .training(.trained):
            say("what was trained is saved; stopping the last score; once more stops at once")
        case .training, .note, .warning: break
        }
    }
}
