/// Every method that the package has.
public enum MethodRegistry {
    public static let methods: [any FineTuningMethod.Type] = [
        FullFineTuning.self,
        LoRA.self,
        DualLoRA.self,
    ]

    public static var names: [String] { methods.map { $0.facts.name } }

    /// - Throws: ``AdapterError/unknownMethod(name:known:)``.
    public static func method(named name: String) throws -> any FineTuningMethod.Type {
        guard let found = methods.first(where: { $0.facts.name == name }) else {
            throw AdapterError.unknownMethod(name: name, known: names)
        }
        return found
    }

    /// The adapter method of a `peft_type`.
    static func adapterMethod(peftType: String) -> (any AdapterMethod.Type)? {
        methods.lazy.compactMap { $0 as? any AdapterMethod.Type }.first { $0.peftType == peftType }
    }

    static var peftTypes: [String] {
        methods.compactMap { ($0 as? any AdapterMethod.Type)?.peftType }
    }
}
