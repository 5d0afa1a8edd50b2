import DualModules

/// An option of a method, for `duallora methods` and the command line.
public struct MethodOption: Equatable, Sendable {
    /// As the command line has it: `sign-grad`. An underscore is as good as a dash.
    public let name: String
    public let help: String

    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    static let rank = MethodOption("rank", "Rank. Default 16.")
    static let alpha = MethodOption("alpha", "Scale: alpha / rank. Default: what makes it 2.")
    static let dropout = MethodOption(
        "dropout", "Probability of dropping elements of the adapter's input. Default 0.")
}

/// What a user sets of a method: texts by the options' names.
public struct MethodOptions: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    private var values: [String: String] = [:]

    public init(_ values: [String: String] = [:]) {
        for (name, value) in values { self[name] = value }
    }

    /// Values of any type; nil is left out.
    init(chosen: KeyValuePairs<String, (any CustomStringConvertible)?>) {
        for (name, value) in chosen { self[name] = value.map { "\($0)" } }
    }

    /// The names and values, by name.
    public var all: [(name: String, value: String)] {
        values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// These and others, which count where both have one.
    func with(_ others: MethodOptions) -> MethodOptions {
        var joined = self
        joined.values.merge(others.values) { $1 }
        return joined
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

/// Options that a method has, read with its checks; what is not given is nil.
struct GivenOptions {
    let method: String
    let values: [String: String]

    func bad(_ option: String, _ reason: String) -> AdapterError {
        .badOption(method: method, option: option, reason: reason)
    }

    func text(_ name: String) -> String? { values[name] }

    func integer(_ name: String, atLeast least: Int = .min) throws -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text) else { throw bad(name, "'\(text)' is not a whole number") }
        guard value >= least else {
            throw bad(name, least == 0 ? "\(value) is negative" : "\(value) is less than \(least)")
        }
        return value
    }

    /// From 1 to ``ranks``' end.
    func rank(_ name: String = "rank") throws -> Int? {
        guard let value = try integer(name) else { return nil }
        guard ranks ~= value else {
            throw bad(name, "\(value) is not a rank; it must be from 1 to \(ranks.upperBound)")
        }
        return value
    }

    func number(_ name: String) throws -> Double? {
        guard let text = values[name] else { return nil }
        guard let value = Double(text) else { throw bad(name, "'\(text)' is not a number") }
        return value
    }

    func positive(_ name: String) throws -> Double? {
        guard let value = try number(name) else { return nil }
        guard value.isFinite, value > 0 else { throw bad(name, "\(value) is not greater than 0") }
        return value
    }

    func probability(_ name: String = "dropout") throws -> Double? {
        guard let value = try number(name) else { return nil }
        guard value >= 0, value < 1 else {
            throw bad(name, "\(value) is not a probability from 0 to less than 1")
        }
        return value
    }

    func flag(_ name: String) throws -> Bool? {
        guard let text = values[name] else { return nil }
        guard let value = Bool(text) else { throw bad(name, "'\(text)' is not true or false") }
        return value
    }

    func choice<Choice>(_ name: String) throws -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let text = values[name] else { return nil }
        guard let value = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw bad(name, "'\(text)' is none of \(known)")
        }
        return value
    }

    /// `1,3,5-8`
    func numbers(_ name: String) throws -> [Int]? {
        guard let text = values[name] else { return nil }
        guard let numbers = NumberList(text)?.numbers else {
            throw bad(name, "'\(text)' is not a list of numbers such as 0,2,5-8")
        }
        return numbers
    }

    /// `q_proj=4,layers.0.v_proj=8`: values by pattern, in their order.
    func pattern<Value>(
        _ name: String, _ read: (String) -> Value?
    ) throws -> LayerPattern<Value>? {
        guard let text = values[name] else { return nil }
        let entries = try text.split(separator: ",").map { entry in
            let halves = entry.split(separator: "=", maxSplits: 1).map(String.init)
            guard halves.count == 2, let value = read(halves[1]) else {
                throw bad(name, "'\(entry)' is not LAYER=VALUE")
            }
            return (halves[0], value)
        }
        return LayerPattern(entries)
    }
}

/// Ranks beyond the size of any layer are slips, and their products would not fit a number.
let ranks = 1...65_536

extension Double {
    /// PEFT writes whole numbers such as `lora_alpha` without a point.
    var asIntegerIfWhole: Any { Int(exactly: self) ?? self }
}

extension ConfigurationFile {
    /// The rank of a saved adapter, or another size that has no other bounds.
    func rank(_ key: String, default fallback: Int) throws -> Int { try rank(key) ?? fallback }

    /// The same; nil where it is missing.
    func rank(_ key: String) throws -> Int? {
        guard let value = try integer(key) else { return nil }
        guard ranks ~= value else {
            throw bad(key, found: "\(value)", expected: "from 1 to \(ranks.upperBound)")
        }
        return value
    }

    /// Refuses fields that are set to what is not supported.
    func refuse(_ keys: [String]) throws {
        for key in keys {
            guard let value = fields[key], !isNothing(value) else { continue }
            throw AdapterError.unsupported(
                file: url.path, key: key, found: "set", reason: "which is not supported")
        }
    }

    private func isNothing(_ value: Any) -> Bool {
        (value as? Bool) == false || (value as? [Any])?.isEmpty == true
            || (value as? [String: Any])?.isEmpty == true
    }
}
