import DualModules

extension ConfigurationFile {
    /// The rank of a saved adapter, or another size that has no other bounds; nil where it is missing.
    func rank(_ key: String) throws -> Int? {
        guard let value = try integer(key) else { return nil }
        guard ranks ~= value else {
            throw bad(key, found: "\(value)", expected: "from 1 to \(ranks.upperBound)")
        }
        return value
    }

    /// A list of one kind of value; nil where there is none.
    func list<Element>(_ key: String) throws -> [Element]? {
        try value(key, expected: "a list of \(Element.self)")
    }

    func object(_ key: String) throws -> [String: Any]? { try value(key, expected: "an object") }

    private func value<Value>(_ key: String, expected: String) throws -> Value? {
        guard let value = fields[key] else { return nil }
        guard let value = value as? Value else {
            throw bad(key, found: "\(value)", expected: expected)
        }
        return value
    }

    /// Refuses fields that are set to what is not supported.
    func refuse(_ keys: [String]) throws {
        for key in keys {
            guard let value = fields[key], !isNothing(value) else { continue }
            throw AdapterError.unsupported(
                file: url.path, key: key, found: "set", reason: Self.reasons[key] ?? plainReason)
        }
    }

    private var plainReason: String { "which is not supported" }

    /// What is asked for by some fields that are not supported.
    private static let reasons = [
        "target_parameters": "which adapts parameters that are no layer's weight, such as those of "
            + "experts, and is not supported: name layers in 'target_modules'"
    ]

    private func isNothing(_ value: Any) -> Bool {
        (value as? Bool) == false || (value as? [Any])?.isEmpty == true
            || (value as? [String: Any])?.isEmpty == true
    }
}
