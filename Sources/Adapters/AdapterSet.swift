import DualModules
import DualTorch

/// One adapter of a whole model: the method, its layers, and the modules that train beside it.
public final class AdapterSet {
    public let method: any AdapterMethod
    /// Adapted layers, in the model's order.
    public let layers: [Linear]
    /// The names that chose them, for `target_modules`.
    let targetNames: [String]
    /// Weights that train whole and are saved with the adapter: the head, and what was made anew.
    public let savedParameters: [Parameter]

    /// Puts a fresh adapter into the slot of every layer that is a target.
    /// - Parameter generator: decides every random number, in the order of the layers.
    /// - Throws: ``AdapterError/noSuchTarget(name:known:)``.
    public convenience init(
        _ method: any AdapterMethod, targets: TargetSelection, of linears: [Linear],
        savedParameters: [Parameter], using generator: Generator
    ) throws {
        let layers = try targets.layers(of: linears)
        var names = layers.map(\.path)
        if case .names(let given) = targets { names = given }
        try self.init(
            method, layers: layers, targetNames: names, savedParameters: savedParameters,
            using: generator)
    }

    init(
        _ method: any AdapterMethod, layers: [Linear], targetNames: [String],
        savedParameters: [Parameter], using generator: Generator
    ) throws {
        self.method = method
        self.layers = layers
        self.targetNames = targetNames
        self.savedParameters = savedParameters
        for layer in layers {
            layer.adapter = try method.makeAdapter(for: layer, using: generator)
        }
    }

    var adapters: [any LinearAdapter] { layers.compactMap(\.adapter) }

    /// Every tensor of the adapter with its full name, in saving order.
    public var parameters: [(name: String, value: Tensor)] {
        layers.flatMap { layer in
            (layer.adapter?.parameters ?? []).map { ("\(layer.path).\($0.name)", $0.value) }
        }
    }

    /// Trainable numbers of the adapter; the saved modules are not counted.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

    /// Tells adapters that follow the steps of training where it stands.
    public func prepare(_ progress: TrainingProgress) {
        for case let adapter as any StepAwareAdapter in adapters {
            adapter.prepare(progress)
        }
    }

    /// Adds the update to every weight for good and empties the slots.
    public func merge() throws {
        for layer in layers { try layer.mergeAdapter() }
    }

    /// Takes the adapter off; the layers are what they were.
    public func remove() {
        for layer in layers { layer.adapter = nil }
    }
}
