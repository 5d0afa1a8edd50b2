import CTorch

extension Tensor {
    /// Whether gradients flow to this tensor (`Tensor.requires_grad`).
    public var requiresGradient: Bool { ct_requires_grad(handle) }

    /// Makes gradients flow to this tensor, or stops them; for tensors that no operation made
    /// (`Tensor.requires_grad_`).
    @discardableResult
    public func requireGradient(_ value: Bool = true) throws -> Tensor {
        try check(ct_set_requires_grad(handle, value), "requires_grad")
        return self
    }

    /// What ``backward(seed:retainingGraph:)`` has summed up for this leaf, if anything (`Tensor.grad`).
    public func gradient() throws -> Tensor? {
        var gradient: OpaquePointer?
        try check(ct_gradient(handle, &gradient), "grad")
        return gradient.map(Tensor.init(owning:))
    }

    /// Replaces the gradient; `nil` frees it.
    public func setGradient(_ gradient: Tensor?) throws {
        try check(ct_set_gradient(handle, gradient?.handle), "grad")
    }

    /// Adds d(self)/d(leaf) to the gradient of every leaf that requires one (`Tensor.backward`).
    /// - Parameter seed: the gradient at `self`; nil for a scalar, where it is 1.
    public func backward(seed: Tensor? = nil, retainingGraph: Bool = false) throws {
        try check(ct_backward(handle, seed?.handle, retainingGraph, false), "backward")
    }

    /// d(self)/d(input) for each input, nil where self does not depend on it (`torch.autograd.grad`).
    ///
    /// Leaves' own gradients stay as they are. With `creatingGraph` the results can be
    /// differentiated again.
    public func gradients(
        with inputs: [Tensor], seed: Tensor? = nil, retainingGraph: Bool = false,
        creatingGraph: Bool = false
    ) throws -> [Tensor?] {
        try DualTorch.gradients(
            of: [(self, seed)], with: inputs, retainingGraph: retainingGraph,
            creatingGraph: creatingGraph)
    }

    /// The same memory, outside the graph (`Tensor.detach`).
    public func detached() throws -> Tensor { try call("aten::detach", [.tensor(self)]) }
}

/// The sum over `outputs` of seed · d(output)/d(input) for each input, nil where none depends on it.
/// - Parameter outputs: each with the gradient at it; nil for a scalar, where it is 1.
func gradients(
    of outputs: [(value: Tensor, seed: Tensor?)], with inputs: [Tensor],
    retainingGraph: Bool = false, creatingGraph: Bool = false
) throws -> [Tensor?] {
    var gradients = [OpaquePointer?](repeating: nil, count: inputs.count)
    let status = withExtendedLifetime((outputs, inputs)) {
        ct_grad(
            outputs.map { Optional($0.value.handle) }, outputs.map { $0.seed?.handle },
            outputs.count, inputs.map { Optional($0.handle) }, inputs.count,
            retainingGraph || creatingGraph, creatingGraph, &gradients)
    }
    try check(status, "grad")
    return gradients.map { $0.map(Tensor.init(owning:)) }
}

/// The leaves that gradients of `outputs` would reach, each once, but for those in `others`.
func graphLeaves(of outputs: [Tensor], except others: [Tensor] = []) throws -> [Tensor] {
    var list: UnsafeRawPointer?
    var count = 0
    let status = withExtendedLifetime((outputs, others)) {
        ct_graph_leaves(
            outputs.map { Optional($0.handle) }, outputs.count, others.map { Optional($0.handle) },
            others.count, &list, &count)
    }
    try check(status, "leaves of a graph")
    defer { ct_free_list(list) }
    let handles = UnsafeBufferPointer(
        start: list?.assumingMemoryBound(to: OpaquePointer.self), count: count)
    return handles.map(Tensor.init(owning:))
}

/// Whether a graph is being recorded.
var isRecordingGradients: Bool { ct_grad_enabled() }

/// Whether an operation on these tensors becomes part of a graph.
func recordsGradients(_ inputs: Tensor?...) -> Bool {
    ct_grad_enabled() && inputs.contains { $0?.requiresGradient ?? false }
}

/// Within a backward: whether the graph is kept to be run backward once more, so that what it saved
/// must stay as it is.
var backwardKeepsGraph: Bool { ct_backward_keeps_graph() }

/// Runs `body` without recording a graph (`torch.no_grad`).
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
    try withGradientMode(false, body)
}

/// Runs `body` recording a graph, also inside ``withoutGradient(_:)`` (`torch.enable_grad`).
public func withGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
    try withGradientMode(true, body)
}

private func withGradientMode<Result>(
    _ enabled: Bool, _ body: () throws -> Result
) rethrows -> Result {
    let before = ct_grad_enabled()
    ct_set_grad_enabled(enabled)
    defer { ct_set_grad_enabled(before) }
    return try body()
}

/// A backward in Swift: gradients at the outputs (nil where zero) and which inputs need theirs, to
/// gradients at the inputs (nil for zero).
public typealias BackwardFunction = (_ gradients: [Tensor?], _ needed: [Bool]) throws -> [Tensor?]

/// A function of `inputs` whose gradient is written by hand (`torch.autograd.Function`).
///
/// `forward` runs outside the graph. `backward` may use the inputs that it captures, but must not
/// capture the outputs themselves: they own the graph, which would own them. What it captures is
/// freed when the graph is.
/// - Throws: what `forward` throws; an error of `backward` surfaces from the call that runs it, as
///   ``TorchError`` with its description.
public func customFunction(
    _ name: String, of inputs: [Tensor], forward: () throws -> [Tensor],
    backward: @escaping BackwardFunction
) throws -> [Tensor] {
    // An output may be an input itself, which must not become part of what is made from it.
    let outputs = try withoutGradient { try forward().map { try $0.detached() } }
    guard ct_grad_enabled(), inputs.contains(where: \.requiresGradient) else { return outputs }
    let box = Unmanaged.passRetained(BackwardBox(backward))
    let function = ct_backward_function(
        context: box.toOpaque(), run: runBackward, release: releaseBackward)
    let status = withExtendedLifetime((inputs, outputs)) {
        ct_attach_backward(
            name, inputs.map { Optional($0.handle) }, inputs.count,
            outputs.map { Optional($0.handle) }, outputs.count, function)
    }
    try check(status, name)
    return outputs
}

private final class BackwardBox {
    let run: BackwardFunction
    init(_ run: @escaping BackwardFunction) { self.run = run }
}

private func releaseBackward(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<BackwardBox>.fromOpaque(context).release()
}

private func runBackward(
    _ context: UnsafeMutableRawPointer?, _ outputGradients: UnsafePointer<OpaquePointer?>?,
    _ outputs: Int, _ needed: UnsafePointer<Bool>?,
    _ inputGradients: UnsafeMutablePointer<OpaquePointer?>?, _ inputs: Int
) -> ct_status {
    guard let context, let inputGradients else { return CT_FAILED }
    let box = Unmanaged<BackwardBox>.fromOpaque(context).takeUnretainedValue()
    do {
        let gradients = try UnsafeBufferPointer(start: outputGradients, count: outputs).map {
            try $0.map { Tensor(owning: try sharedHandle($0)) }
        }
        let wanted = Array(UnsafeBufferPointer(start: needed, count: inputs))
        let results = try box.run(gradients, wanted)
        guard results.count == inputs else {
            throw TorchError(
                operation: "backward",
                message: "\(results.count) gradients for \(inputs) inputs")
        }
        for (index, result) in results.enumerated() {
            inputGradients[index] = try result.map { try sharedHandle($0.handle) }
        }
        return CT_OK
    } catch {
        ct_set_error("\(error)")
        return CT_FAILED
    }
}

/// A second handle on the tensor of a borrowed one.
private func sharedHandle(_ handle: OpaquePointer) throws -> OpaquePointer {
    var second: OpaquePointer?
    try check(ct_tensor_share(handle, &second), "share")
    guard let second else { throw Tensor.missingResult(of: "share") }
    return second
}
