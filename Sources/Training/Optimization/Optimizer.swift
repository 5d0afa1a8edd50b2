import DualTorch

/// What moves tensors that train by the gradients that they hold.
public protocol Optimizer: AnyObject {
    /// One update; tensors without a gradient stay.
    /// - Parameter factor: the schedule's share of every group's learning rate.
    func step(factor: Double) throws

    func clearGradients() throws

    /// Everything that it remembers, by name, for a checkpoint.
    var state: [String: Tensor] { get }
}
