import Foundation

/// A key of a configuration file that changes what transformers computes and has no counterpart here.
package struct UnsupportedKey: Sendable {
    /// What a key must be, besides missing or null, to change nothing.
    package enum Neutral: Sendable {
        case number(Double)
        case yes
        case no
        /// One of some texts.
        case texts([String])
        /// Only missing, null or empty.
        case nothing
    }

    let key: String
    let neutral: Neutral

    package init(_ key: String, unless neutral: Neutral) {
        self.key = key
        self.neutral = neutral
    }
}

extension ConfigurationFile {
    /// Refuses keys that are given and not neutral.
    /// - Throws: ``ConfigurationError/badValue(file:key:found:expected:)`` naming the key.
    package func refuse(_ keys: [UnsupportedKey]) throws {
        for key in keys { try refuse(key.key, unless: key.neutral) }
    }

    private func refuse(_ key: String, unless neutral: UnsupportedKey.Neutral) throws {
        guard let value = fields[key] else { return }
        let found = shown(value)
        let expected: String
        switch neutral {
        case .number(let number):
            if try self.number(key) == number { return }
            expected = "\(number)"
        case .yes:
            if try flag(key) ?? true { return }
            expected = "true"
        case .no:
            if try !(flag(key) ?? false) { return }
            expected = "false"
        case .texts(let texts):
            if let text = try text(key), texts.contains(text) { return }
            throw bad(
                key, found: found,
                expected: "\(texts.joined(separator: ", ")) or missing: it is not supported")
        case .nothing:
            if (value as? [Any])?.isEmpty ?? (value as? [String: Any])?.isEmpty ?? false { return }
            throw bad(key, found: found, expected: "missing: it is not supported")
        }
        throw bad(
            key, found: found, expected: "\(expected) or missing: it is not supported")
    }
}
