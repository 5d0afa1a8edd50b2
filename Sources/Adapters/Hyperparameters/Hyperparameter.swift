import DualModules

/// One hyper-parameter of a method, said once: from it come the option with its help and default, what
/// a recipe says, and the field of `adapter_config.json`, written and read.
///
///     struct Scaling: LinearAdapterMethod {
///         var rank = 4
///         static let hyperparameters = [
///             Hyperparameter<Scaling>("rank", \.rank, .rank, "Rank.", key: "r")
///         ]
///     }
///
/// A hyper-parameter's default is the property's value in a method that was made by `init()`.
public struct Hyperparameter<Method>: Sendable {
    /// The option, as the command line and recipes have it; nil for what stands in a file alone.
    public internal(set) var option: MethodOption?
    /// The field of `adapter_config.json`; nil for what no file has.
    public internal(set) var key: String?
    /// Whether the field is an object whose keys are patterns of layers' paths.
    var isByLayer = false

    /// The option's text that gives the value again; nil where there is nothing to say.
    var text: @Sendable (Method) -> String? = { _ in nil }
    /// Takes a given option, and says whether one was given.
    var takeOption: @Sendable (inout Method, GivenOptions) throws -> Bool = { _, _ in false }
    /// The field's value.
    var field: @Sendable (Method) -> Any? = { _ in nil }
    /// Takes the field of a file, or PEFT's default where the file has none, and says whether it did.
    var takeField: @Sendable (inout Method, ConfigurationFile) throws -> Bool = { _, _ in false }
    /// Sets the default that depends on other hyper-parameters, where there is one.
    var setDefault: @Sendable (inout Method) -> Void = { _ in }
    /// Why the value means nothing beside the others; nil where it means something.
    var obstacle: @Sendable (Method) -> String? = { _ in nil }
    /// First sizes of tensors that the value gives, by the tensors' names, at the path of a layer or block.
    var firstSizes: @Sendable (Method, String) throws -> [String: Int] = { _, _ in [:] }
    /// Patterns of the value that match none of some layers' paths.
    var unmatched: @Sendable (Method, _ paths: [String]) throws -> [String] = { _, _ in [] }
}

extension Hyperparameter where Method: FineTuningMethod {
    /// A hyper-parameter that a user may set.
    /// - Parameters:
    ///   - name: of the option: `use-rslora`.
    ///   - form: how a value of this kind is written and checked.
    ///   - help: a sentence, to which the default is added.
    ///   - words: the default in words, where the value alone does not say it.
    ///   - standard: a default that depends on the other hyper-parameters; it counts where neither an
    ///     option nor a file says the value.
    ///   - obstacle: why the value means nothing beside the others, such as "it goes with --bias all";
    ///     nil where it means something. A user who gives it all the same is told so.
    ///   - key: the field of `adapter_config.json`; nil for what no file has.
    ///   - missing: what a file means that lacks the field, where that is another value than the
    ///     default: PEFT's own.
    public init<Value: Sendable>(
        _ name: String, _ path: WritableKeyPath<Method, Value> & Sendable,
        _ form: ValueForm<Value>, _ help: String, default words: String? = nil,
        standard: (@Sendable (Method) -> Value)? = nil,
        unless obstacle: @escaping @Sendable (Method) -> String? = { _ in nil },
        key: String? = nil, missing: Value? = nil
    ) {
        let ending = words.map { " Default: \($0)." } ?? form.defaultHelp(Method()[keyPath: path])
        self.init(
            MethodOption(name, help + ending), path, form, standard: standard, unless: obstacle,
            key: key, missing: missing)
    }

    /// One that stands in a file alone: a state, or what PEFT has and no option sets.
    public init<Value: Sendable>(
        field key: String, _ path: WritableKeyPath<Method, Value> & Sendable,
        _ form: ValueForm<Value>, missing: Value? = nil
    ) {
        self.init(nil, path, form, key: key, missing: missing)
    }

    /// An option that says others' values in another way; ``FineTuningMethod/resolve(_:)`` reads it.
    public init(option name: String, _ help: String) {
        self.init(option: MethodOption(name, help))
    }

    private init<Value: Sendable>(
        _ option: MethodOption?, _ path: WritableKeyPath<Method, Value> & Sendable,
        _ form: ValueForm<Value>, standard: (@Sendable (Method) -> Value)? = nil,
        unless obstacle: @escaping @Sendable (Method) -> String? = { _ in nil },
        key: String?, missing: Value?
    ) {
        self.option = option
        self.key = key
        self.obstacle = obstacle
        isByLayer = form.isByLayer
        unmatched = { try form.unmatched($0[keyPath: path], $1) }
        text = { form.text($0[keyPath: path]) }
        takeOption = { method, given in
            guard let option, let value = try given.value(option.name, form) else { return false }
            method[keyPath: path] = value
            return true
        }
        field = { form.field($0[keyPath: path]) }
        takeField = { method, file in
            guard let key, let value = try form.read(file, key) ?? missing else { return false }
            method[keyPath: path] = value
            return true
        }
        if let standard { setDefault = { $0[keyPath: path] = standard($0) } }
    }
}

extension Hyperparameter {
    /// The same, with the first size that the value gives a tensor of each layer or block: a file in which
    /// it is another is refused before anything of such a size is made.
    /// - Parameter size: of a method, at the path of the layer or block.
    public func firstSize(
        of tensor: String, by size: @escaping @Sendable (Method, _ path: String) throws -> Int
    ) -> Hyperparameter {
        var row = self
        row.firstSizes = { try firstSizes($0, $1).merging([tensor: size($0, $1)]) { $1 } }
        return row
    }

    /// The same of a method that has this one in it.
    func lifted<Outer>(
        to path: WritableKeyPath<Outer, Method> & Sendable
    ) -> Hyperparameter<Outer> {
        Hyperparameter<Outer>(
            option: option, key: key, isByLayer: isByLayer, text: { text($0[keyPath: path]) },
            takeOption: { try takeOption(&$0[keyPath: path], $1) },
            field: { field($0[keyPath: path]) },
            takeField: { try takeField(&$0[keyPath: path], $1) },
            setDefault: { setDefault(&$0[keyPath: path]) },
            obstacle: { obstacle($0[keyPath: path]) },
            firstSizes: { try firstSizes($0[keyPath: path], $1) },
            unmatched: { try unmatched($0[keyPath: path], $1) })
    }

    /// The same without the option.
    var inFileAlone: Hyperparameter {
        var row = self
        row.option = nil
        return row
    }
}
