import DualDatasets
import DualModels
import DualTorch
import DualTraining

/// What a task's head learns: classes by cross-entropy, or a number by squared error.
public enum Objective: Equatable, Sendable {
    case classes([String])
    case regression

    public init(_ task: any SentenceTask.Type) {
        self = task.categories.map(Objective.classes) ?? .regression
    }

    /// Outputs of the head.
    public var labelCount: Int {
        switch self {
        case .classes(let names): names.count
        case .regression: 1
        }
    }

    /// Refuses a model whose head has other outputs than the task.
    func check(_ model: any SequenceModel) throws {
        guard let head = model.head else { throw ModelError.noHead(folder: "the model") }
        guard head.outputSize == labelCount else {
            throw ModelError.otherHead(outputs: head.outputSize, wanted: labelCount)
        }
    }

    /// The mean loss of logits (B, labels) against the labels of the batch.
    func loss(_ logits: Tensor, _ labels: [Label]) throws -> Tensor {
        switch self {
        case .classes:
            let ids = try Tensor(labels.map(\.category)).to(device: logits.device)
            return try logits.crossEntropy(ids)
        case .regression:
            let scores = try Tensor(labels.map(\.score)).to(logits.dtype).to(device: logits.device)
            return try logits.squeezed(-1).meanSquaredError(scores)
        }
    }

    /// Lets a new regression head start at the mean score of the training examples, so that the
    /// first hundred steps are not spent on finding it.
    func centre(_ model: any SequenceModel, on examples: [Example]) throws {
        guard self == .regression, let bias = model.head?.bias, bias.isCreated else { return }
        let mean = examples.reduce(0) { $0 + $1.label.score } / Double(max(1, examples.count))
        bias.stored = .plain(try Tensor.full([1], mean, device: bias.stored.device))
    }

    /// What logits (B, labels) say.
    func predictions(_ logits: Tensor) throws -> [Label] {
        switch self {
        case .classes:
            try logits.indexOfMaximum(along: -1).array(of: Int.self).map(Label.category)
        case .regression:
            try logits.squeezed(-1).array(of: Double.self).map(Label.score)
        }
    }
}

extension Objective {
    /// What a saved head says of itself.
    var headMeaning: ModelFolder.HeadMeaning {
        switch self {
        case .classes(let names): .classes(names)
        case .regression: .regression
        }
    }
}

extension Label {
    /// The class; a score is none and cannot come from a task of classes.
    fileprivate var category: Int {
        if case .category(let id) = self { return id }
        return -1
    }

    fileprivate var score: Double {
        if case .score(let value) = self { return value }
        return .nan
    }
}
