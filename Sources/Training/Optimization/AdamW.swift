import DualTorch

/// Adam with decoupled weight decay. Loshchilov & Hutter 2019, arXiv:1711.05101; the update is
/// LibTorch's fused kernel, which `torch.optim.AdamW(fused=True)` runs.
public final class AdamW: Optimizer {
    /// Tensors that share a learning rate and a weight decay.
    public struct Group {
        public let tensors: [Tensor]
        /// Their names, for checkpoints.
        public let names: [String]
        public let learningRate: Double
        public let weightDecay: Double

        public init(
            tensors: [Tensor], names: [String] = [], learningRate: Double, weightDecay: Double
        ) {
            self.tensors = tensors
            self.names = names
            self.learningRate = learningRate
            self.weightDecay = weightDecay
        }
    }

    public let groups: [Group]
    private let betas: (Double, Double)
    private let epsilon: Double
    /// First and second moments, by group and tensor.
    private let moments: [[(first: Tensor, second: Tensor)]]
    /// Steps done, as the kernel takes it.
    private let stepCount: Tensor

    public static let standardEpsilon = 1e-8

    public init(
        _ groups: [Group], betas: (Double, Double) = (0.9, 0.999),
        epsilon: Double = standardEpsilon
    ) throws {
        self.groups = groups
        self.betas = betas
        self.epsilon = epsilon
        moments = try groups.map { group in
            try group.tensors.map {
                (try .zeros(like: $0.detached()), try .zeros(like: $0.detached()))
            }
        }
        // Where the kernel reads it: on the device that the tensors lie on.
        stepCount = try .zeros([], device: groups.lazy.flatMap(\.tensors).first?.device ?? .cpu)
    }

    public func step(factor: Double) throws {
        try withoutGradient {
            try stepCount.add(Tensor.scalar(1))
            for (group, moments) in zip(groups, moments) {
                try update(group, moments, learningRate: group.learningRate * factor)
            }
        }
    }

    private func update(
        _ group: Group, _ moments: [(first: Tensor, second: Tensor)], learningRate: Double
    ) throws {
        var (tensors, gradients) = ([Tensor](), [Tensor]())
        var (first, second) = ([Tensor](), [Tensor]())
        for (tensor, moment) in zip(group.tensors, moments) {
            guard let gradient = try tensor.gradient() else { continue }
            tensors.append(tensor)
            gradients.append(gradient)
            first.append(moment.first)
            second.append(moment.second)
        }
        guard !tensors.isEmpty else { return }
        _ = try callOperator(
            "aten::_fused_adamw_",
            [
                .tensors(tensors), .tensors(gradients), .tensors(first), .tensors(second),
                .tensors([]), .tensors(tensors.map { _ in stepCount }),
            ],
            [
                "lr": .double(learningRate), "beta1": .double(betas.0), "beta2": .double(betas.1),
                "weight_decay": .double(group.weightDecay), "eps": .double(epsilon),
                "amsgrad": false, "maximize": false,
            ])
    }

    public func clearGradients() throws {
        for tensor in groups.flatMap(\.tensors) { try tensor.setGradient(nil) }
    }

    public var state: [String: Tensor] {
        var state = ["optimizer.step": stepCount]
        for (group, moments) in zip(groups, moments) {
            for (name, moment) in zip(group.names, moments) {
                state["\(name).exp_avg"] = moment.first
                state["\(name).exp_avg_sq"] = moment.second
            }
        }
        return state
    }
}

/// Scales all gradients down so that their common norm is at most `limit`.
/// - Returns: the norm before.
func clipGradients(of tensors: [Tensor], to limit: Double) throws -> Double {
    try withoutGradient {
        let gradients = try tensors.compactMap { try $0.gradient() }
        guard !gradients.isEmpty else { return 0 }
        let norms = try callOperator("aten::_foreach_norm.Scalar", [.tensors(gradients), 2])
        guard case .tensors(let list)? = norms.first else { return 0 }
        let norm = try Tensor.stacked(list.compactMap { $0 }).norm().item()
        if norm > limit, norm.isFinite {
            _ = try callOperator(
                "aten::_foreach_mul_.Scalar", [.tensors(gradients), .double(limit / (norm + 1e-6))])
        }
        return norm
    }
}
