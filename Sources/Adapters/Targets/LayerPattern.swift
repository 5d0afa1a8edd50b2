import DualModules
import Foundation

/// Values for some layers, found by their paths: PEFT's `rank_pattern` and `alpha_pattern`.
///
/// The first key that matches the end of a path counts. A key is a regular expression; it begins where a
/// word of the path does. Reference: PEFT's `get_pattern_key`.
public struct LayerPattern<Value: Equatable & Sendable>: Equatable, Sendable {
    /// In the order in which they are tried.
    public let entries: [(key: String, value: Value)]

    /// - Parameter entries: tried in the order of their keys, in which PEFT saves them: what counts in
    ///   training is what a reader of the file sees. Of those with the same key the first counts.
    public init(_ entries: [(key: String, value: Value)] = []) {
        self.entries = Dictionary(entries) { first, _ in first }
            .sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
            .map { (key: $0.key, value: $0.value) }
    }

    /// Of a file, in its own order.
    fileprivate init(ordered entries: [(key: String, value: Value)]) { self.entries = entries }

    public static func == (left: Self, right: Self) -> Bool {
        left.entries.count == right.entries.count
            && zip(left.entries, right.entries).allSatisfy {
                $0.key == $1.key && $0.value == $1.value
            }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// The value for a layer; nil where no key matches.
    /// - Throws: ``AdapterError/badPattern(_:)``, ``AdapterError/slowPattern(_:path:)``.
    public func value(for path: String) throws -> Value? {
        try entries.first { try Self.matches($0.key, path) }?.value
    }

    /// The keys that match none of some paths.
    /// - Throws: ``AdapterError/badPattern(_:)``, ``AdapterError/slowPattern(_:path:)``.
    func unmatched(by paths: [String]) throws -> [String] {
        try entries.map(\.key).filter { key in
            try !paths.contains { try Self.matches(key, $0) }
        }
    }

    private static func matches(_ key: String, _ path: String) throws -> Bool {
        try LayerPath.matches(path, "(.*\\.)?(\(key))", named: key)
    }
}

extension ValueForm {
    /// Values by layers: `q_proj=4,layers.0.v_proj=8` in an option, an object in a file.
    /// - Parameters:
    ///   - form: of one value, as an option has it.
    ///   - noun: of the values, for messages about files.
    ///   - read: one value of a file; nil for what is none.
    private static func byLayer<Element>(
        _ form: ValueForm<Element>, _ noun: String, _ read: @escaping @Sendable (Any) -> Element?
    ) -> ValueForm where Value == LayerPattern<Element> {
        var whole = ValueForm(
            parse: { text in
                LayerPattern(
                    try text.split(separator: ",").map { entry in
                        let halves = entry.split(separator: "=", maxSplits: 1).map(String.init)
                        guard halves.count == 2, let value = try? form.parse(halves[1]) else {
                            throw BadOptionValue("'\(entry)' is not LAYER=VALUE")
                        }
                        return (halves[0], value)
                    })
            },
            read: { file, key in
                guard let fields = try file.object(key) else { return nil }
                return LayerPattern(
                    ordered: try file.keys(of: key).map { name in
                        guard let value = fields[name].flatMap(read) else {
                            throw file.bad(
                                key, found: "\(fields[name] ?? "")", expected: "\(noun) by layer")
                        }
                        return (name, value)
                    })
            },
            text: { pattern in
                pattern.isEmpty
                    ? nil : pattern.entries.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            },
            field: { pattern in
                Dictionary(
                    uniqueKeysWithValues: pattern.entries.map { ($0.key, form.field($0.value)) })
            })
        whole.isByLayer = true
        whole.unmatched = { try $0.unmatched(by: $1) }
        return whole
    }
}

extension ValueForm<LayerPattern<Int>> {
    /// Ranks of some layers.
    public static var ranksByLayer: ValueForm {
        byLayer(.rank, "ranks") { ($0 as? Int).flatMap { ranks ~= $0 ? $0 : nil } }
    }
}

extension ValueForm<LayerPattern<Double>> {
    /// Positive numbers of some layers.
    public static var numbersByLayer: ValueForm {
        byLayer(.positive, "numbers") { value in
            (value as? NSNumber).flatMap { $0.doubleValue.isFinite ? $0.doubleValue : nil }
        }
    }
}
