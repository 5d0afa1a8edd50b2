import DualModules
import Foundation

/// How values of one kind are said: in an option, in `adapter_config.json`, and which are refused.
public struct ValueForm<Value>: Sendable {
    /// A value as an option has it; nil for one that an option need not say.
    let text: @Sendable (Value) -> String?
    /// The value of an option's text.
    let parse: @Sendable (String) throws -> Value
    /// A value as JSON has it.
    let field: @Sendable (Value) -> Any
    /// The value of a file's field; nil where the file lacks it.
    let read: @Sendable (ConfigurationFile, String) throws -> Value?
    /// Whether JSON has an object whose keys are patterns of layers' paths.
    var isByLayer = false
    /// Of such a value, the patterns that match none of some layers' paths.
    var unmatched: @Sendable (Value, _ paths: [String]) throws -> [String] = { _, _ in [] }

    /// - Parameters:
    ///   - parse: the value of an option's text; throws a ``BadOptionValue`` that says what is wrong.
    ///   - read: the value of the field of that key, nil where the file lacks it; throws what the
    ///     file's own functions do.
    ///   - text: a value as an option has it; nil for one that an option need not say.
    ///   - field: a value as `JSONSerialization` takes it.
    public init(
        parse: @escaping @Sendable (String) throws -> Value,
        read: @escaping @Sendable (ConfigurationFile, String) throws -> Value?,
        text: @escaping @Sendable (Value) -> String? = { "\($0)" },
        field: @escaping @Sendable (Value) -> Any = { $0 }
    ) {
        self.text = text
        self.parse = parse
        self.field = field
        self.read = read
    }

    /// The same with one more condition on options; files are read as before.
    /// - Parameter reason: what is wrong with a value; nil where nothing is.
    public func refusing(_ reason: @escaping @Sendable (Value) -> String?) -> ValueForm {
        ValueForm(
            parse: { text in
                let value = try parse(text)
                if let reason = reason(value) { throw BadOptionValue(reason) }
                return value
            }, read: read, text: text, field: field)
    }

    /// The same with other words in a file.
    func inFiles(
        _ field: @escaping @Sendable (Value) -> Any,
        read: @escaping @Sendable (ConfigurationFile, String) throws -> Value?
    ) -> ValueForm {
        ValueForm(parse: parse, read: read, text: text, field: field)
    }

    /// How an option's help says the default.
    func defaultHelp(_ value: Value) -> String {
        guard let text = text(value) else { return "" }
        return " Default \((value as? Double)?.withoutEmptyFraction ?? text)."
    }
}

/// Why the text of an option is no value of it.
public struct BadOptionValue: Error {
    public let reason: String

    /// - Parameter reason: begins with the value: "'x' is not a whole number".
    public init(_ reason: String) { self.reason = reason }
}

extension Double {
    /// PEFT writes whole numbers such as `lora_alpha` without a point.
    var asIntegerIfWhole: Any { Int(exactly: self) ?? self }

    /// As people write it: 2, not 2.0.
    var withoutEmptyFraction: String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}
