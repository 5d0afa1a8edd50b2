import DualAdapters
import DualChat
import DualModels
import DualModules
import DualTokenization
import DualTorch
import Foundation

// The course of a run, and what it writes.
extension FineTuningRun {
    /// The steps that there are to do, and what comes of them.
    func train(
        _ setup: Setup, shouldStop: () -> Bool, report: (Event) throws -> Void
    ) throws -> RunResult {
        let trainer = setup.trainer
        for note in setup.notes { try report(.note(note)) }
        let checkpoints = CheckpointFolder(
            checkpointsPlace, identity: identity(of: setup.trainer, examples: setup.exampleCount))
        if !resume { checkpoints.remove() }
        let done = resume ? try checkpoints.restore(trainer) : 0
        let log = try RunLog(output.appendingPathComponent("train.jsonl"), resumedStep: done)
        try report(
            .started(
                trainable: setup.trainee.trainableCount, total: setup.trainee.totalCount,
                examples: setup.exampleCount, steps: trainer.totalSteps, doneSteps: done))
        if let recipe {
            let place = output.appendingPathComponent("recipe.yaml")
            try AtomicFile.write(Data(recipe.utf8), to: place)
        }
        // The scores before the first step, or those that a log has lost.
        if trainer.isAtEvaluation, !log.evaluations.contains(where: { $0.step == done }),
            let record = try trainer.score({ try report(.training($0)) })
        {
            try log.add(record)
            try report(.training(.evaluated(record)))
        }
        try trainer.run(checkpoints: checkpoints, shouldStop: shouldStop) { event in
            switch event {
            case .step(let record): try log.add(record)
            case .evaluated(let record): try log.add(record)
            case .checkpoint, .scoring: break
            // The last score may take long, and fail: what is trained is safe before.
            case .trained: try save(setup)
            }
            try report(.training(event))
        }
        return try finish(setup, log, checkpoints)
    }

    /// Writes what the run came to.
    private func finish(
        _ setup: Setup, _ log: RunLog, _ checkpoints: CheckpointFolder
    ) throws -> RunResult {
        let result = result(setup, log)
        let run = LossCurve.Run(
            name: type(of: method).facts.title, steps: log.steps, evaluations: log.evaluations)
        let picture = try LossCurve.png(of: [run], title: task.title, metric: task.primaryMetric)
        try AtomicFile.write(picture, to: output.appendingPathComponent("loss.png"))
        try result.write(to: output.appendingPathComponent("result.json"))
        if options.checkpointSteps == nil { checkpoints.remove() }
        return result
    }

    private func save(_ setup: Setup) throws {
        if let adapter = setup.trainee.adapter {
            try AdapterFolder.write(
                adapter, task: task.adapterTask, baseModel: baseName,
                baseRevision: baseReference?.revision, seed: options.seed, to: output)
        } else {
            try ModelFolder.write(
                try ModelFolder.checkpointWeights(of: setup.trainee.model),
                fields: fields(setup), head: task.headMeaning,
                copying: (Tokenizer.fileNames + ModelFolder.companionNames)
                    .map(tokenizerFolder.appendingPathComponent),
                to: output)
        }
        if let template = setup.template ?? chatTemplate {
            try template.write(to: output)
        } else {
            try ChatTemplate.copy(from: tokenizerFolder, to: output)
        }
    }

    private func fields(_ setup: Setup) -> [String: Any] {
        var fields = setup.configuration.fieldsWithNulls
        if case .new = base, let model = setup.trainee.model as? any CausalModel {
            fields["architectures"] = [model.className]
            // The reference's own choice is LLaMA's, whatever the tokenizer.
            let known = setup.configuration.fields
            if let id = known["bos_token_id"] ?? setup.tokenizer.beginningOfTextID {
                fields["bos_token_id"] = id
            }
            if let id = known["eos_token_id"] ?? setup.tokenizer.endOfTextID {
                fields["eos_token_id"] = id
            }
        }
        return fields
    }

    private func result(_ setup: Setup, _ log: RunLog) -> RunResult {
        let (tokens, seconds) = setup.trainer.throughput
        let last = log.evaluations.last
        return RunResult(
            task: task.name, metric: task.primaryMetric,
            value: last?.metrics[task.primaryMetric] ?? nil, metrics: last?.metrics ?? [:],
            loss: last?.evaluationLoss,
            before: log.evaluations.first { $0.step == 0 }, method: type(of: method).facts.name,
            model: baseName, trainableParameters: setup.trainee.trainableCount,
            methodParameters: setup.trainee.methodCount, totalParameters: setup.trainee.totalCount,
            steps: setup.trainer.progress.step,
            bestStep: options.keepsBest ? setup.trainer.finalStep : nil, seconds: seconds,
            tokensPerSecond: seconds > 0 ? Double(tokens) / seconds : 0,
            peakMemoryMiB: peakMemoryMiB(), seed: options.seed, dtype: computeType.rawValue,
            device: device.description, threads: TorchRuntime.threads,
            versions: ["duallora": packageVersion, "libtorch": TorchRuntime.version])
    }
}
