import DualModules
import DualTorch

/// A weight of the model that an adapter brings a value of its own for.
public struct SavedParameter {
    public let parameter: Parameter
    /// Its name in a file.
    let key: String
    /// The adapter's value, in float32 or wider.
    public let value: Tensor
    /// The model's own.
    let original: StoredWeight

    public var name: String { parameter.name }

    /// The adapter's value as a file keeps it.
    func stored() throws -> Tensor {
        parameter.storage == .transposed ? try value.transposed().contiguous() : value
    }

    init(_ parameter: Parameter, key: String, value: Tensor? = nil) throws {
        self.parameter = parameter
        self.key = key
        original = parameter.stored
        // Of its own, for it trains: the model's own value stays as it is.
        self.value = try value ?? parameter.value.detached().wide().cloned()
    }
}

extension Parameter {
    /// The path of the module that it belongs to.
    var modulePath: String {
        name.split(separator: ".").dropLast().joined(separator: ".")
    }
}
