/// A method that trains the model's own weights, all of them or some, and adds none.
public protocol WeightTrainingMethod: FineTuningMethod {
    /// Whether a weight of the model trains; the head of a task always does.
    /// - Parameter name: the weight's name in the checkpoint.
    func trains(weight name: String) -> Bool

    /// How the gradients of the target layers' weights are projected before the optimizer sees them;
    /// nil for not at all.
    var gradientProjection: GradientProjection? { get }
}

extension WeightTrainingMethod {
    public var kind: MethodKind { .weightTraining(self) }
    public func parameterCount(outputSize: Int, inputSize: Int) -> Int { outputSize * inputSize }
    public func trains(weight name: String) -> Bool { true }
    public var gradientProjection: GradientProjection? { nil }
}
