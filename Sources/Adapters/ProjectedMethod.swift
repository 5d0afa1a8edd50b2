/// A method whose hyper-parameters are those of its projection.
protocol ProjectedMethod: WeightTrainingMethod {
    var projection: GradientProjection { get set }
}

extension ProjectedMethod {
    public var gradientProjection: GradientProjection? { projection }
}

extension Hyperparameter where Method: ProjectedMethod {
    /// What a user may set of a projection.
    static var projection: [Hyperparameter] {
        [
            Hyperparameter(
                "rank", \.projection.rank, .rank, "r, the dimensions of the small space."),
            Hyperparameter(
                "update-proj-gap", \.projection.gap, .integer(atLeast: 1),
                "Steps between two projections."),
            Hyperparameter(
                "galore-scale", \.projection.scale, .positive,
                "What a projected update is multiplied by."),
            Hyperparameter(
                "proj-type", \.projection.side, .choice,
                "Which side of a weight is projected: std (the shorter), reverse_std, left "
                    + "(outputs), right (inputs), full (both)."),
        ]
    }
}
