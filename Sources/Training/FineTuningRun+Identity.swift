import DualAdapters
import DualChat
import DualModels
import DualModules
import DualTorch
import Foundation

extension FineTuningRun {
    /// What must be equal for a resumed run to end where this one would have: what is set, under the
    /// names of its flags, and what is read.
    func identity(of setup: Setup) throws -> RunIdentity {
        var flags = [
            "task": task.name, "method": type(of: method).facts.name,
            "dtype": computeType.rawValue,
        ]
        if !modulesToSave.isEmpty {
            flags["modules-to-save"] = modulesToSave.joined(separator: ",")
        }
        flags.merge(going(setup.trainer)) { mine, _ in mine }
        flags.merge(optimizing) { mine, _ in mine }
        flags.merge(targeting) { mine, _ in mine }
        flags.merge(templating(setup.templateDate)) { mine, _ in mine }
        flags.merge(task.identity) { mine, _ in mine }
        for (name, value) in method.settings.all where flags[name] == nil { flags[name] = value }
        var identity = RunIdentity(flags: flags)
        identity.counts["examples"] = setup.exampleCount
        identity.counts["tokens"] = setup.trainer.exampleTokens
        identity.digests["set of examples"] = setup.digests.training
        identity.digests["set of dev examples"] = setup.digests.dev
        identity.digests["base model"] = setup.baseDigest
        return identity
    }

    /// How the run goes through its examples.
    private func going(_ trainer: Trainer) -> [String: String] {
        [
            "steps": "\(trainer.totalSteps)", "seed": "\(options.seed)",
            "batch-size": "\(trainer.options.batchSize ?? 0)",
            "gradient-accumulation": "\(options.accumulation)",
            "max-length": "\(options.maximumLength ?? task.defaults.maximumLength)",
            "no-shuffle": "\(!options.shuffles)",
        ]
    }

    /// The part that decides how far each step goes, and which is the last.
    private var optimizing: [String: String] {
        var identity = [
            "learning-rate": "\(options.learningRate ?? method.defaultLearningRate)",
            "head-learning-rate": "\(options.headLearningRate)",
            "weight-decay": "\(options.weightDecay)", "warmup-ratio": "\(options.warmupRatio)",
            "warmup-steps": options.warmupSteps.map { "\($0)" },
            "schedule": options.schedule.rawValue,
            "gradient-limit": options.gradientLimit.map { "\($0)" },
            "adam-beta1": "\(options.adamBetas.0)", "adam-beta2": "\(options.adamBetas.1)",
            "adam-epsilon": options.adamEpsilon.map { "\($0)" },
            "keep-best": "\(options.keepsBest)",
        ]
        if options.keepsBest || options.patience != nil {
            identity["evaluation-steps"] = options.evaluationSteps.map { "\($0)" }
            identity["patience"] = options.patience.map { "\($0)" }
        }
        return identity.compactMapValues { $0 }
    }

    /// The layers that the method changes.
    private var targeting: [String: String] {
        guard let targets else { return [:] }
        var identity: [String: String] = [:]
        switch targets.rule {
        case .standard: break
        case .pattern(let pattern): identity["target-pattern"] = pattern
        default: identity["targets"] = TargetSelection(targets.rule).description
        }
        identity["exclude-targets"] = targets.excluded.map { TargetSelection($0).description }
        identity["target-blocks"] = targets.blocks?.map(String.init).joined(separator: ",")
        return identity
    }

    private func templating(_ date: Date?) -> [String: String] {
        var identity: [String: String] = [:]
        identity[RunIdentity.templateDate] = date.map(ChatTemplate.text)
        if task.usesTemplate, !templateVariables.isEmpty {
            let entries = templateVariables.sorted { $0.key < $1.key }
                .map { TemplateValue.Entry($0.key, $0.value) }
            identity["template-variables"] = TemplateValue.mapping(entries).description
        }
        return identity
    }

    /// A digest of the model that the run starts from: of its configuration, and of every tensor of its
    /// checkpoint the name, the type, the shape and 64 pieces of 64 bytes, evenly spread. It costs a few
    /// pages of each, not a pass over all; a change of only a few numbers may go unseen.
    func baseDigest(_ configuration: ConfigurationFile) throws -> String {
        var fingerprint = Fingerprint()
        fingerprint.add(
            try JSONSerialization.data(
                withJSONObject: configuration.fieldsWithNulls, options: .sortedKeys))
        guard case .model(let folder) = base else { return fingerprint.text }
        let checkpoint = try Checkpoint(folder: folder)
        for name in checkpoint.names {
            let tensor = try checkpoint.tensor(name)
            fingerprint.add("\(name) \(tensor.dtype.rawValue) \(tensor.shape)")
            try tensor.withBytes { bytes in
                for piece in Self.sample(of: bytes.count) {
                    fingerprint.add(UnsafeRawBufferPointer(rebasing: bytes[piece]))
                }
            }
        }
        return fingerprint.text
    }

    /// Up to 64 pieces of 64 bytes, the first and the last among them; all of what is no longer.
    private static func sample(of count: Int) -> [Range<Int>] {
        let (pieces, length) = (64, 64)
        guard count > pieces * length else { return [0..<count] }
        return (0..<pieces).map { piece in
            let start = piece * (count - length) / (pieces - 1)
            return start..<start + length
        }
    }
}
