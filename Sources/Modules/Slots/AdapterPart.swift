import DualTorch

/// One part of an adapter, which is in one slot of a model.
public protocol AdapterPart: AnyObject {
    /// What trains, by the name that a saved adapter gives it (`lora_A.weight`), in saving order.
    var parameters: [(name: String, value: Tensor)] { get }

    /// What does not train, and yet a run that is resumed must find as it was: a checkpoint has it
    /// beside the parameters, by names that none of those has.
    var state: [(name: String, value: Tensor)] { get }

    /// What a saved adapter keeps, where that is something else than what trains: a table that an
    /// encoder makes, say. The values of an adapter that is loaded are copied into these.
    func savedTensors() throws -> [(name: String, value: Tensor)]
}

extension AdapterPart {
    public var state: [(name: String, value: Tensor)] { [] }
    public func savedTensors() throws -> [(name: String, value: Tensor)] { parameters }
}
