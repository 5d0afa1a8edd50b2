import DualAdapters
import DualTorch
import Foundation

// The course of a run.
extension FineTuningRun {
    /// The steps that there are to do, and what comes of them.
    func train(
        _ setup: Setup, shouldStop: () -> Bool, report: (Event) throws -> Void
    ) throws -> RunResult {
        let trainer = setup.trainer
        for note in setup.notes { try report(.note(note)) }
        let checkpoints = CheckpointFolder(
            checkpointsPlace, identity: try identity(of: setup))
        let replacesRun = replacesRun
        if !resume { checkpoints.remove() }
        let done = resume ? try checkpoints.restore(trainer) : 0
        removeLeftovers()
        let log = try RunLog(output.appendingPathComponent("train.jsonl"), resumedStep: done)
        try report(
            .started(
                trainable: setup.trainee.trainableCount, total: setup.trainee.totalCount,
                examples: setup.exampleCount, steps: trainer.totalSteps, doneSteps: done))
        try writeRecipe(replacing: replacesRun)
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
            case .trained: try save(setup, replacing: replacesRun)
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
        let picture = LossCurve.svg(of: [run], title: task.title, metric: task.primaryMetric)
        try AtomicFile.write(picture, to: output.appendingPathComponent("loss.svg"))
        try result.write(to: output.appendingPathComponent("result.json"))
        if options.checkpointSteps == nil { checkpoints.remove() }
        return result
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
