import DualModules

/// What the saved adapters of a method look like: how they are told from others', and how their tensors
/// are named.
///
/// Reference: PEFT's `adapter_config.json` and `adapter_model.safetensors`.
public struct AdapterFormat: Sendable {
    /// `peft_type`: a method's own, or one that ``discriminators`` tell from the others of its kind.
    public let peftType: String
    /// The same of files that others write and the method reads too.
    public var foreignPeftTypes: [String] = []
    /// Whether the method reads what it wrote; if not, another of the same ``peftType`` does.
    public var isRead = true
    /// Fields that tell methods of one `peft_type` apart, such as `use_dora`, and what each is in a file
    /// of this method; a field that is missing is false.
    public var discriminators: [String: Bool] = [:]
    /// Fields that are the same in every file.
    public var constants: [String: Bool] = [:]
    /// Fields of which no file may have more than nothing, for what they ask for is not supported.
    public var refusedFields: [String] = []
    /// Whether there is a field for layers that are left out, `exclude_modules`.
    public var hasExclusion = true
    /// Whether there is a field for weights that are kept as (inputs, outputs), `fan_in_fan_out`.
    public var hasStorage = false
    /// Whether PEFT heeds `ensure_weight_tying` in such files.
    public var heedsWeightTying = false
    /// Whether files may bring rows of single tokens, `trainable_token_indices`.
    public var hasTokenIndices = true
    /// The prefix of tensors' names before the names of the model's own modules.
    public var keyPrefix = "base_model.model."
    /// Names of frozen tensors that all layers share; files may have copies of them under each layer.
    public var sharedTensors: [String] = []
    /// Other names of a layer's tensors, that files may have instead.
    public var otherNames: [String: String] = [:]
    /// Tensors of a layer, each with the tensor that it must be equal to and that is written instead.
    public var twins: [String: String] = [:]

    /// - Parameter change: says what is other than PEFT's usual.
    public init(_ peftType: String, _ change: (inout AdapterFormat) -> Void = { _ in }) {
        self.peftType = peftType
        change(&self)
    }

    /// The same but for what is changed.
    func with(_ change: (inout AdapterFormat) -> Void) -> AdapterFormat {
        var format = self
        change(&format)
        return format
    }
}

extension AdapterFormat {
    /// Every `peft_type` that is read.
    var readPeftTypes: [String] { isRead ? [peftType] + foreignPeftTypes : [] }

    /// Whether a file of one of ``readPeftTypes`` is of this format.
    func reads(_ file: ConfigurationFile) -> Bool {
        isRead && discriminators.allSatisfy { (file.fields[$0.key] as? Bool ?? false) == $0.value }
    }

    /// Whether some file could be of both formats.
    func overlaps(_ other: AdapterFormat) -> Bool {
        !Set(readPeftTypes).isDisjoint(with: other.readPeftTypes)
            && discriminators.allSatisfy { other.discriminators[$0.key] ?? $0.value == $0.value }
    }

    /// The same of a method whose adapters another one reads.
    var writtenOnly: AdapterFormat { with { $0.isRead = false } }

    /// The fields that every file has.
    var fields: [String: Any] {
        var fields = constants.merging(discriminators.filter(\.value)) { $1 } as [String: Any]
        if hasStorage { fields["fan_in_fan_out"] = false }
        return fields
    }

    /// Names that a tensor may have in a file, that which is written first.
    func spellings(of tensor: String) -> [String] {
        [tensor]
            + otherNames.filter { tensor.isOrEndsIn($0.key) }.map {
                tensor.dropLast($0.key.count) + $0.value
            }
    }

    /// The tensor of a file that this one must be equal to, if there is one.
    func twin(of key: String) -> String? {
        twins.first { key.hasSuffix("." + $0.key) }.map { key.dropLast($0.key.count) + $0.value }
    }

    /// Whether a tensor of a file says again what another says.
    func isRepeated(_ key: String) -> Bool {
        twin(of: key) != nil
            || sharedTensors.contains {
                key.hasSuffix("." + $0) && key != Self.sharedPrefix + $0
            }
    }

    /// The prefix of the names of tensors that all layers share.
    static let sharedPrefix = "base_model."
}
