import DualAdapters
import DualChat
import DualModels
import DualModules
import DualTasks
import DualTorch
import DualTraining
import Foundation

extension RunIdentity {
    /// What must be equal for a resumed run to end where this one would have: what is set, under the
    /// names of its flags, and what is read.
    init(of prepared: PreparedRun) {
        let run = prepared.run
        self.init(flags: run.options.identity(in: prepared.trainer, of: run.task))
        flags["task"] = run.task.name
        flags["method"] = type(of: run.method).facts.name
        flags[Self.computeType] = prepared.computeType.dtype.rawValue
        flags["quantize"] = run.quantization?.rawValue
        if !run.modulesToSave.isEmpty {
            flags["modules-to-save"] = run.modulesToSave.joined(separator: ",")
        }
        if !run.addedTokens.isEmpty {
            flags["add-tokens"] = run.addedTokens.joined(separator: ",")
        }
        if prepared.trainee.hasDecayingVectors { flags[Self.decayingVectors] = "true" }
        let others = [
            run.targets?.identity ?? [:], run.templateIdentity(prepared.templateDate),
            run.task.identity,
        ]
        for other in others { flags.merge(other) { mine, _ in mine } }
        for (name, value) in run.method.settings.all where flags[name] == nil {
            flags[name] = value
        }
        counts["examples"] = prepared.exampleCount
        counts["tokens"] = prepared.trainer.exampleTokens
        counts[RunIdentity.positions] = prepared.positions
        digests = prepared.digests
    }
}

extension TrainingOptions {
    /// What is set, with what a run resolves of it.
    fileprivate func identity(
        in trainer: Trainer, of task: any TrainingTask
    ) -> [String: String] {
        let rate = learningRate ?? trainer.trainee.method.defaultLearningRate
        var flags = identity
        flags["epochs"] = nil
        flags["steps"] = "\(trainer.totalSteps)"
        flags["batch-size"] = "\(trainer.options.batchSize ?? 0)"
        flags["max-length"] = "\(maximumLength ?? task.defaults.maximumLength)"
        flags["learning-rate"] = "\(rate)"
        return flags
    }
}

extension TargetSelection {
    /// The layers that the method changes.
    fileprivate var identity: [String: String] {
        var identity: [String: String] = [:]
        switch rule {
        case .standard: break
        case .pattern(let pattern): identity["target-pattern"] = pattern
        default: identity["targets"] = TargetSelection(rule).description
        }
        identity["exclude-targets"] = excluded.map { TargetSelection($0).description }
        identity["target-blocks"] = blocks?.map(String.init).joined(separator: ",")
        return identity
    }
}

extension FineTuningRun {
    /// What a chat template is told.
    fileprivate func templateIdentity(_ date: Date?) -> [String: String] {
        var identity: [String: String] = [:]
        identity[RunIdentity.templateDate] = date.map(ChatTemplate.text)
        if task.usesTemplate, !templateVariables.isEmpty {
            let entries = templateVariables.sorted { $0.key < $1.key }
                .map { TemplateValue.Entry($0.key, $0.value) }
            identity["template-variables"] = TemplateValue.mapping(entries).description
        }
        return identity
    }
}
