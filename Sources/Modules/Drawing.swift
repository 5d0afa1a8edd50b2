/// The values of weights that are not loaded.
public enum Drawing: Sendable {
    /// Random numbers in float32, for what starts from nothing is trained; they count as made anew.
    case toTrain
    /// Random numbers in the type that is asked for, which count as a checkpoint's.
    case asLoaded
    /// One zero for all elements of a weight, where only names and shapes matter.
    case shapesOnly
}
