import DualModules
import DualTorch

extension AdapterMethod {
    /// Fields whose keys are patterns of layers' paths.
    static var patternKeys: [String] {
        hyperparameters.compactMap { $0.isByLayer ? $0.key : nil }
    }

    /// The hyper-parameters as `adapter_config.json` spells them.
    /// - Parameters:
    ///   - parts: that are saved, in the model's order.
    ///   - seed: what the adapter's start was drawn from.
    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        var fields = Self.format.fields
        for row in Self.hyperparameters {
            if let key = row.key { fields[key] = row.field(self) }
        }
        complete(&fields, of: parts, seed: seed)
        return fields
    }

    /// Reads what ``fields(of:seed:)`` wrote, or what PEFT did.
    /// - Throws: `ConfigurationError`, ``AdapterError`` for what is not supported.
    public init(_ file: ConfigurationFile) throws {
        guard Self.format.isRead else {
            throw AdapterError.unsupported(
                file: file.url.path, key: "peft_type", found: Self.format.peftType,
                reason: "which another method reads")
        }
        self.init()
        let unsaid = try Self.hyperparameters.filter { try !$0.takeField(&self, file) }
        for row in unsaid { row.setDefault(&self) }
        try complete(from: file)
        try file.refuse(Self.format.refusedFields)
    }
}
