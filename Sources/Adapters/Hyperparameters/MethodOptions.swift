/// What a user sets of a method: texts by the options' names.
public struct MethodOptions: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    private var values: [String: String] = [:]

    public init(_ values: [String: String] = [:]) {
        for (name, value) in values { self[name] = value }
    }

    /// The names and values, by name.
    public var all: [(name: String, value: String)] {
        values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }

    public subscript(name: String) -> String? {
        get { values[Self.spelling(name)] }
        set { values[Self.spelling(name)] = newValue }
    }

    /// `sign_grad` and `sign-grad` are one name.
    public static func spelling(_ name: String) -> String {
        String(name.map { $0 == "_" ? "-" : $0 })
    }

    /// The same, for one method's reading.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)`` for what the method does not have.
    func of(_ method: (some FineTuningMethod).Type) throws -> GivenOptions {
        let known = method.options.map(\.name)
        if let strange = values.keys.sorted().first(where: { !known.contains($0) }) {
            let list = known.isEmpty ? "it has none" : "it has " + known.joined(separator: ", ")
            throw AdapterError.badOption(
                method: method.facts.name, option: strange,
                reason: "this method has no such option; \(list)")
        }
        return GivenOptions(method: method.facts.name, values: values)
    }
}
