import DualTorch

extension Trainee {
    /// What moves the tensors that train; weights whose gradients are projected have their own.
    package func makeOptimizers(_ options: TrainingOptions) throws -> [any Optimizer] {
        let plain = try AdamW(
            optimizerGroups(options), betas: options.adamBetas,
            epsilon: options.adamEpsilon ?? AdamW.standardEpsilon)
        guard let projection else { return [plain] }
        let groups = optimizerGroups(options, projected: true)
        let projecting = try ProjectedAdam(
            groups, projection, seed: options.seed, betas: options.adamBetas,
            epsilon: options.adamEpsilon ?? ProjectedAdam.standardEpsilon)
        return [plain, projecting]
    }

    /// Groups for an optimizer, of the tensors whose gradients are projected or of the others.
    func optimizerGroups(
        _ options: TrainingOptions, projected isProjected: Bool = false
    ) -> [AdamW.Group] {
        let rate = options.learningRate ?? method.defaultLearningRate
        struct Key: Hashable {
            let rate: Double
            let decays: Bool
        }
        var order: [Key] = []
        var groups: [Key: [Trainable]] = [:]
        for trainable in trainables where projectedWeights.contains(trainable.name) == isProjected {
            let dimensions = trainable.tensor.rank
            let factor = adapter?.method.learningRateFactor(
                of: trainable.name, dimensions: dimensions)
            let own = trainable.role == .head ? options.headLearningRate : rate * (factor ?? 1)
            let key = Key(rate: own, decays: decays(trainable))
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(trainable)
        }
        return order.map { key in
            let members = groups[key] ?? []
            return AdamW.Group(
                tensors: members.map(\.tensor), names: members.map(\.name),
                learningRate: key.rate, weightDecay: key.decays ? options.weightDecay : 0)
        }
    }
}
