import DualTorch

/// What an adapter puts into one place of a model.
public protocol AdapterPart: AnyObject {
    /// What trains, by the name that a saved adapter gives it (`lora_A.weight`), in saving order.
    var parameters: [(name: String, value: Tensor)] { get }

    /// What does not train, and yet a run that is resumed must find as it was: a checkpoint has it
    /// beside the parameters, by names that none of those has.
    var state: [(name: String, value: Tensor)] { get }

    /// The matrix products that a training step cannot do without on the part's account: all but a layer's
    /// output and the gradient at its input, which its own weight costs with an adapter or without. Of a
    /// part that forms weights and keeps none, forming them for the backward counts again.
    func products(of step: PartStep) -> [MatrixProduct]

    /// What a saved adapter keeps, where that is something else than what trains: a table that an
    /// encoder makes, say. The values of an adapter that is loaded are copied into these.
    func savedTensors() throws -> [(name: String, value: Tensor)]
}

extension AdapterPart {
    public var state: [(name: String, value: Tensor)] { [] }
    public func products(of step: PartStep) -> [MatrixProduct] { [] }
    public func savedTensors() throws -> [(name: String, value: Tensor)] { parameters }
}
