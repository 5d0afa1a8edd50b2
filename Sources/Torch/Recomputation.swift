/// What `body` makes of `inputs`, keeping only the inputs for the backward, which runs `body` again:
/// less memory for more time (`torch.utils.checkpoint`). Chen et al. 2016, arXiv:1604.06174.
///
/// Gradients are those that `body` has by itself, bit for bit, at the inputs and at every leaf that it
/// uses. Where nothing in or before it requires a gradient, nothing is kept and nothing runs again.
/// - Parameters:
///   - inputs: everything that `body` uses of the graph before it.
///   - generator: where `body` takes random numbers from; the second run gets the same ones, and what
///     comes after it those that would have come.
///   - body: must do the same when it runs again; its outputs' graph must reach back to `inputs` and
///     leaves alone.
public func recomputed(
    _ inputs: [Tensor], drawing generator: Generator? = nil,
    _ body: @escaping ([Tensor]) throws -> [Tensor]
) throws -> [Tensor] {
    guard isRecordingGradients else { return try body(inputs) }
    let state = try generator?.state()
    let sources = try inputs.map { try $0.detached().requireGradient($0.requiresGradient) }
    // With a graph, though it is dropped: the operators must be those of the second run, and the graph
    // tells which leaves are used.
    let outputs = try body(sources)
    guard outputs.contains(where: \.requiresGradient) else { return outputs }
    let leaves = try graphLeaves(of: outputs, except: sources)
    return try customFunction("recomputed", of: inputs + leaves) {
        outputs
    } backward: { seeds, needed in
        let again = try repeating(generator, from: state) { try withGradient { try body(sources) } }
        let roots = zip(again, seeds).filter { $0.requiresGradient && $1 != nil }
        let wanted = zip(sources + leaves, needed).filter(\.1).map(\.0)
        var results = try gradients(of: roots.map { ($0, $1) }, with: wanted)[...]
        return needed.map { $0 ? results.popFirst() ?? nil : nil }
    }
}

/// Runs `body` with the random numbers that came from `state` on, and leaves the generator as it was.
private func repeating<Result>(
    _ generator: Generator?, from state: Tensor?, _ body: () throws -> Result
) throws -> Result {
    guard let generator, let state else { return try body() }
    let present = try generator.state()
    try generator.restore(state)
    let result = Swift.Result(catching: body)
    try generator.restore(present)
    return try result.get()
}
