import DualTasks
import DualTorch

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
