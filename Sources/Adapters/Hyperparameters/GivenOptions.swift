/// The options that a user gave for a method, all of which the method has.
public struct GivenOptions {
    let method: String
    let values: [String: String]

    public func has(_ name: String) -> Bool { values[name] != nil }

    /// The value of an option; nil where it is not given.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)`` for a text that is no such value.
    public func value<Value>(_ name: String, _ form: ValueForm<Value>) throws -> Value? {
        guard let text = values[name] else { return nil }
        do {
            return try form.parse(text)
        } catch let refusal as BadOptionValue {
            throw bad(name, refusal.reason)
        }
    }

    /// What is thrown for an option that makes no sense beside the others.
    public func bad(_ option: String, _ reason: String) -> AdapterError {
        .badOption(method: method, option: option, reason: reason)
    }
}
