import DualJSON
import Foundation

/// A JSON object in a file (`config.json`, `adapter_config.json`), read field by field, with errors that name the field.
public struct ConfigurationFile {
    public let url: URL
    /// Every field, also those that this package does not use: they are kept when a model is saved.
    public private(set) var fields: [String: Any]
    private let nullKeys: Set<String>
    /// The keys of the objects in the fields, in the order of the file.
    private var keyOrders: [String: [String]] = [:]

    /// - Throws: ``ConfigurationError`` for a file that is missing or not a JSON object.
    public init(_ url: URL) throws {
        let data: Data
        do throws(GivenFile.Fault) {
            data = try GivenFile.data(of: url)
        } catch {
            throw ConfigurationError.unreadable(file: url.path, reason: error.reason)
        }
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.value(of: [UInt8](data))
        } catch {
            throw ConfigurationError.unreadable(
                file: url.path,
                reason: "line \(error.line): \(error.message); it is not a JSON object")
        }
        guard case .object(let object) = value else {
            throw ConfigurationError.unreadable(file: url.path, reason: "it is not a JSON object")
        }
        self.init(url, fields: object.foundationValue)
        for member in object.members {
            if case .object(let object) = member.value { keyOrders[member.key] = object.keys }
        }
    }

    public init(_ url: URL, fields: [String: Any]) {
        self.url = url
        self.fields = fields.filter { !($0.value is NSNull) }
        nullKeys = Set(fields.filter { $0.value is NSNull }.keys)
    }

    /// Every field as the file has it, those that are null among them.
    public var fieldsWithNulls: [String: Any] {
        fields.merging(nullKeys.map { ($0, NSNull()) }) { value, _ in value }
    }

    /// The keys of the object in a field, in the order of the file.
    public func keys(of name: String) -> [String] {
        keyOrders[name] ?? (fields[name] as? [String: Any] ?? [:]).keys.sorted()
    }

    /// The same with other keys in the objects of some fields.
    public func renamingKeys(
        of names: [String], _ rename: (String) -> String
    ) -> ConfigurationFile {
        var renamed = self
        for name in names {
            guard let object = fields[name] as? [String: Any] else { continue }
            renamed.fields[name] = Dictionary(
                object.map { (rename($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
            renamed.keyOrders[name] = keys(of: name).map(rename)
        }
        return renamed
    }

    /// Whether a field is there and null, which is not always the same as missing.
    public func isNull(_ key: String) -> Bool { nullKeys.contains(key) }

    public func integer(_ key: String) throws -> Int? {
        try value(key, expected: "an integer") { plainNumber($0) == nil ? nil : $0 as? Int }
    }

    public func positive(_ key: String, default fallback: Int) throws -> Int {
        let value = try integer(key) ?? fallback
        guard value > 0 else { throw bad(key, found: "\(value)", expected: "greater than 0") }
        return value
    }

    /// A size or a count that is at least 1, and so small that the product of any two is a number.
    public func size(
        _ key: String, default fallback: Int, atMost limit: Int = Self.largestSize
    ) throws -> Int {
        let value = try positive(key, default: fallback)
        guard value <= limit else {
            throw bad(key, found: "\(value)", expected: "at most \(limit)")
        }
        return value
    }

    /// The greatest size of a dimension that a file may ask for.
    public static let largestSize = Int(Int32.max)

    public func number(_ key: String) throws -> Double? {
        try value(key, expected: "a number of finite size") {
            plainNumber($0).flatMap { $0.doubleValue.isFinite ? $0.doubleValue : nil }
        }
    }

    public func probability(_ key: String, default fallback: Double) throws -> Double {
        let value = try number(key) ?? fallback
        guard value >= 0, value < 1 else {
            throw bad(key, found: "\(value)", expected: "at least 0 and less than 1")
        }
        return value
    }

    public func text(_ key: String) throws -> String? {
        try value(key, expected: "a string") { $0 as? String }
    }

    public func flag(_ key: String) throws -> Bool? {
        guard let value = fields[key] else { return nil }
        guard let number = value as? NSNumber, isBoolean(number) else {
            let valueText = (value as? String).map { "'\($0)'" } ?? shown(value)
            throw bad(key, found: valueText, expected: "true or false")
        }
        return number.boolValue
    }

    public func choice<Choice>(_ key: String, default fallback: Choice) throws -> Choice
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let name = try text(key) else { return fallback }
        guard let choice = Choice(rawValue: name) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw bad(key, found: name, expected: "one of \(known)")
        }
        return choice
    }

    public func bad(_ key: String, found: String, expected: String) -> ConfigurationError {
        .badValue(file: url.path, key: key, found: found, expected: expected)
    }

    private func value<Value>(
        _ key: String, expected: String, _ convert: (Any) -> Value?
    ) throws -> Value? {
        guard let value = fields[key] else { return nil }
        guard let converted = convert(value) else {
            throw bad(key, found: shown(value), expected: expected)
        }
        return converted
    }

    /// A value as a message shows it.
    package func shown(_ value: Any) -> String {
        if let number = value as? NSNumber, isBoolean(number) {
            return number.boolValue ? "true" : "false"
        }
        return "\(value)"
    }

    private func plainNumber(_ value: Any) -> NSNumber? {
        (value as? NSNumber).flatMap { isBoolean($0) ? nil : $0 }
    }

    private func isBoolean(_ number: NSNumber) -> Bool {
        // JSON's true and false arrive as numbers of the C type char.
        String(cString: number.objCType) == "c"
    }
}
