import CTorch

/// A source of random numbers with a seed and a state that can be saved.
///
/// Every random operation of the package takes one, so that a run is a function of its seed.
public final class Generator {
    let handle: OpaquePointer

    /// - Throws: ``TorchError`` if LibTorch has no such device.
    public init(seed: UInt64, device: Device = .cpu) throws {
        var handle: OpaquePointer?
        try check(
            ct_generator_new(seed, device.kind.deviceType, device.index, &handle), "generator")
        guard let handle else { throw Tensor.missingResult(of: "generator") }
        self.handle = handle
    }

    deinit { ct_generator_free(handle) }

    /// The whole state, a vector of bytes: setting it later repeats the numbers bit for bit.
    public func state() throws -> Tensor {
        var state: OpaquePointer?
        try check(ct_generator_state(handle, &state), "generator state")
        guard let state else { throw Tensor.missingResult(of: "generator state") }
        return Tensor(owning: state)
    }

    /// - Throws: ``TorchError`` if `state` is not what ``state()`` gave for such a generator.
    public func restore(_ state: Tensor) throws {
        try check(ct_generator_set_state(handle, state.handle), "generator state")
    }
}
