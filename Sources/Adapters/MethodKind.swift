/// What a method trains.
public enum MethodKind {
    /// Tensors of its own, beside a model whose weights stay as they are.
    case adapter(any AdapterMethod)
    /// The model's own weights.
    case weightTraining(any WeightTrainingMethod)
}
