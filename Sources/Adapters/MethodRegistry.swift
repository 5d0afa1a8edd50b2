import DualModules
import Synchronization

/// Every method there is: those of the package, and those that clients add.
public enum MethodRegistry {
    /// The methods of the package.
    public static let builtIn: [any FineTuningMethod.Type] = [
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

    private static let added = Mutex<[any FineTuningMethod.Type]>([])

    /// Those of the package and then those that were added, in that order.
    public static var methods: [any FineTuningMethod.Type] { builtIn + added.withLock { $0 } }

    public static var names: [String] { methods.map { $0.facts.name } }

    /// Adds a client's method: it is then found by its name, and its saved adapters are read. May be
    /// called from any thread; adding a method again changes nothing.
    /// - Throws: ``AdapterError/methodTaken(name:)`` for a name that another method has,
    ///   ``AdapterError/peftTypeTaken(name:method:)`` where files of the method could be another's.
    public static func register(_ method: any FineTuningMethod.Type) throws {
        try added.withLock { added in
            let known = builtIn + added
            if known.contains(where: { $0 == method }) { return }
            if known.contains(where: { $0.facts.name == method.facts.name }) {
                throw AdapterError.methodTaken(name: method.facts.name)
            }
            if let format = (method as? any AdapterMethod.Type)?.format {
                let readers = known.compactMap { $0 as? any AdapterMethod.Type }
                if let reader = readers.first(where: { $0.format.overlaps(format) }) {
                    throw AdapterError.peftTypeTaken(
                        name: format.peftType, method: reader.facts.name)
                }
            }
            added.append(method)
        }
    }

    /// - Throws: ``AdapterError/unknownMethod(name:known:)``.
    public static func method(named name: String) throws -> any FineTuningMethod.Type {
        guard let method = methods.first(where: { $0.facts.name == name }) else {
            throw AdapterError.unknownMethod(name: name, known: names)
        }
        return method
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

    /// The method that reads a saved adapter.
    /// - Throws: `ConfigurationError`, ``AdapterError/unsupported(file:key:found:reason:)`` where no
    ///   method does.
    static func adapterMethod(of file: ConfigurationFile) throws -> any AdapterMethod.Type {
        let readers = methods.compactMap { $0 as? any AdapterMethod.Type }
        for key in Set(readers.flatMap { $0.format.discriminators.keys }).sorted() {
            _ = try file.flag(key)
        }
        let type = try file.text("peft_type") ?? "(none)"
        let reader = readers.first {
            $0.format.readPeftTypes.contains(type) && $0.format.reads(file)
        }
        guard let reader else {
            let known = readers.map { $0.format.peftType }.reduce(into: [String]()) {
                if !$0.contains($1) { $0.append($1) }
            }
            throw AdapterError.unsupported(
                file: file.url.path, key: "peft_type", found: type,
                reason: "but known are " + known.joined(separator: ", "))
        }
        return reader
    }
}
