import DualModules

/// Every method that the package has.
public enum MethodRegistry {
    public static let methods: [any FineTuningMethod.Type] = [
        FullFineTuning.self,
        LoRA.self,
        LoRAPlus.self,
        DoRA.self,
        HiRA.self,
        MoRA.self,
        FLoRA.self,
        RandLoRA.self,
        VeRA.self,
        CorDA.self,
        DeltaLoRA.self,
        GaLore.self,
        GaRare.self,
        AdapterL.self,
        AdapterP.self,
        PrefixTuning.self,
        PromptTuning.self,
        PTuning.self,
        LoReFT.self,
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

    /// A method with options as a user gives them.
    /// - Throws: ``AdapterError``.
    public static func make(
        _ name: String, _ options: MethodOptions = [:]
    ) throws -> any FineTuningMethod {
        try method(named: name).init(options)
    }

    /// Every option that a method has, once.
    public static var optionNames: [String] {
        Set(methods.flatMap { $0.options.map(\.name) }).sorted()
    }

    /// The adapter method that reads a saved adapter of a `peft_type`.
    static func adapterMethod(
        peftType: String, _ file: ConfigurationFile
    ) -> (any AdapterMethod.Type)? {
        methods.lazy.compactMap { $0 as? any AdapterMethod.Type }
            .first {
                ([$0.peftType] + $0.foreignPeftTypes).contains(peftType) && $0.reads(file)
            }
    }

    static var peftTypes: [String] {
        methods.compactMap { ($0 as? any AdapterMethod.Type)?.peftType }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
