import DualJSON
import DualNames
import Foundation
import Yams

/// A recipe as it stands in a file: a YAML mapping of settings, some of which may be grouped.
///
/// Scalars are kept as they are written, so that `1e-4` is what it would be on a command line,
/// whatever YAML makes of it.
package struct RecipeFile {
    /// One setting.
    package struct Entry: Equatable, Sendable {
        package let key: RecipeKey
        /// As the recipe spells it.
        package let spelling: String
        /// Empty where the recipe says `null`: what earlier recipes say of it does not hold.
        package let values: [String]
        package let line: Int
    }

    package let path: String
    package private(set) var entries: [Entry] = []
    private let keys: RecipeKeys

    /// Reads a file.
    /// - Parameter path: from the working directory.
    /// - Throws: ``RecipeError``.
    package init(_ path: String, keys: RecipeKeys) throws {
        try self.init(Self.text(of: path), path: path, keys: keys)
    }

    /// Reads a recipe's text.
    /// - Parameter path: what errors call it.
    package init(_ text: String, path: String, keys: RecipeKeys) throws {
        self.path = path
        self.keys = keys
        let root = try RecipeDocument.root(of: text, path: path)
        guard case .mapping(let pairs) = root else {
            throw bad(root, "it has no 'key: value' lines, as a recipe has")
        }
        for (key, value) in pairs {
            let name = try word(key)
            if case .mapping(let section) = value {
                try read(section, of: RecipeKey.spelling(name), key)
            } else {
                try add(name, key, value)
            }
        }
    }

    /// The settings that are grouped under one name.
    private mutating func read(
        _ section: Node.Mapping, of name: String, _ node: Node
    ) throws {
        guard keys.sections.contains(name) else {
            throw keys[name] == nil
                ? unknown(name, node) : bad(node, "\(name): it takes a value, not a section")
        }
        for (key, value) in section {
            let word = try word(key)
            guard value.mapping == nil else {
                throw bad(key, "\(word): a section has no sections in it")
            }
            let isHead = keys.heads.contains(name) && RecipeKeys.headNames.contains(word)
            try add(isHead && keys[word] == nil ? name : word, key, value)
        }
    }

    private mutating func add(_ spelling: String, _ node: Node, _ value: Node) throws {
        guard let key = keys[RecipeKey.spelling(spelling)] else { throw unknown(spelling, node) }
        if let earlier = entries.first(where: { $0.key == key }) {
            throw bad(node, "\(spelling): it is set in line \(earlier.line) too")
        }
        entries.append(
            Entry(
                key: key, spelling: spelling, values: try values(of: key, spelling, value),
                line: line(node)))
    }

    /// What is said of a setting; nothing for `null`.
    private func values(of key: RecipeKey, _ name: String, _ node: Node) throws -> [String] {
        if case .sequence(let items) = node {
            guard key.kind == .list || key.kind == .parts else {
                let wanted = key.kind == .flag ? "true or false" : "one value"
                throw bad(node, "\(name): it takes \(wanted), not a list")
            }
            let texts = try items.map { item in
                guard let text = try text(item, of: name) else {
                    throw bad(item, "\(name): a list has no null in it")
                }
                return text
            }
            guard !texts.isEmpty || key.kind == .list else {
                throw bad(node, "\(name): it is empty")
            }
            return key.kind == .list ? texts : [texts.joined(separator: ",")]
        }
        guard let text = try text(node, of: name) else { return [] }
        guard key.kind == .flag else { return [text] }
        guard ["true", "false"].contains(text.lowercased()) else {
            throw bad(node, "\(name): it takes true or false, not '\(text.excerpt())'")
        }
        return [text.lowercased()]
    }

    /// A scalar as it is written; nil for `null`.
    private func text(_ node: Node, of name: String) throws -> String? {
        guard case .scalar(let scalar) = node else {
            throw bad(node, "\(name): a list has neither lists nor sections in it")
        }
        guard scalar.style == .plain else { return scalar.string }
        guard !scalar.string.isEmpty else {
            throw bad(node, "\(name): it has no value (null leaves it to the default)")
        }
        return ["~", "null", "Null", "NULL"].contains(scalar.string) ? nil : scalar.string
    }

    private func word(_ node: Node) throws -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            throw bad(node, "a key must be a word")
        }
        return scalar.string
    }

    private func unknown(_ name: String, _ node: Node) -> RecipeError {
        let shown = name.excerpt()
        switch ForeignName.meaning(of: name, where: { keys[$0] != nil }) {
        case .setting(let ours, let value)? where keys[ours] != nil:
            return bad(node, "'\(shown)' is \(value.map { "\(ours): \($0)" } ?? ours) here")
        case .none(let reason)?: return bad(node, "'\(shown)': \(reason)")
        default: break
        }
        let hint = keys.suggestion(for: name).map { "; did you mean \($0)?" } ?? ""
        return bad(node, "'\(shown)' is no setting of a recipe\(hint)")
    }

    private func line(_ node: Node) -> Int { node.mark?.line ?? 1 }

    private func bad(_ node: Node, _ reason: String) -> RecipeError {
        RecipeError(file: path, line: line(node), reason: reason)
    }

    /// What a file holds.
    private static func text(of path: String) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw RecipeError(file: path, reason: "there is no such recipe")
        }
        guard !isFolder.boolValue else {
            throw RecipeError(file: path, reason: "it is a folder, not a recipe")
        }
        let data: Data
        do throws(GivenFile.Fault) {
            data = try GivenFile.data(
                of: URL(fileURLWithPath: path), atMost: RecipeDocument.largest + 1)
        } catch {
            throw RecipeError(file: path, reason: "it cannot be read: \(error.reason)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw RecipeError(file: path, reason: "it is not text in UTF-8")
        }
        return text
    }
}
