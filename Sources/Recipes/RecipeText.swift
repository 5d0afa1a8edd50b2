import Foundation

/// Writes settings as a recipe that reads back as the same.
package struct RecipeText {
    private let keys: RecipeKeys

    package init(_ keys: RecipeKeys) { self.keys = keys }

    /// - Parameters:
    ///   - values: by the names of keys; a name that is no key's is left out.
    ///   - comment: lines that stand above.
    package func text(_ values: [String: [String]], comment: [String] = []) -> String {
        var lines = comment.map { "# \($0)" }
        let given = keys.all.filter { values[$0.name] != nil }
        for key in given where key.section == nil {
            lines.append(line(key, key.name, values))
        }
        var sections: [String] = []
        for case let section? in given.map(\.section) where !sections.contains(section) {
            sections.append(section)
        }
        for section in sections {
            lines.append("\(section):")
            for key in given where key.section == section {
                lines.append("  " + line(key, Self.name(of: key), values))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// In a section of its own name a key is `name`, or `path` where it has many.
    private static func name(of key: RecipeKey) -> String {
        guard key.name == key.section else { return key.name }
        return key.kind == .list ? "path" : "name"
    }

    private func line(_ key: RecipeKey, _ name: String, _ values: [String: [String]]) -> String {
        let texts = (values[key.name] ?? []).map(Self.scalar)
        if key.kind == .list, texts.count != 1 {
            return "\(name): [\(texts.joined(separator: ", "))]"
        }
        return "\(name): \(texts.first ?? "null")"
    }

    /// A text as YAML has it: plain where that is read as it stands, else in JSON's quotes.
    static func scalar(_ text: String) -> String {
        let isPlain = text.wholeMatch(of: /[A-Za-z0-9_.\/+][A-Za-z0-9_.\/+=@%-]*/) != nil
        if isPlain, !["null", "..."].contains(text.lowercased()) { return text }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        guard let data = try? encoder.encode(text) else { return "''" }
        return String(decoding: data, as: UTF8.self)
    }
}
