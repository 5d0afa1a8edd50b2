import Foundation
import Yams

/// The YAML of a recipe, within bounds: what is larger, or unfolds to more, is no recipe.
enum RecipeDocument {
    /// Bytes of a file.
    static let largest = 65_536
    /// Uses of an anchor: n of them repeat a node at most e^(n / e) times, so that what hashes the nodes
    /// that they stand for, as Yams does with keys, comes to an end.
    static let mostAliases = 16
    /// Settings, with what is in them.
    static let mostNodes = 10_000

    /// - Throws: ``RecipeError``.
    static func root(of text: String, path: String) throws -> Node {
        func bad(_ reason: String) -> RecipeError { RecipeError(file: path, reason: reason) }
        guard text.utf8.count <= largest else {
            throw bad("it is larger than \(largest / 1024) KiB, which no recipe is")
        }
        guard text.matches(of: /(?:^|[\s\[{,:?-])\*[^\s,\]}]/).count <= mostAliases else {
            throw bad("it has more than \(mostAliases) aliases (*name)")
        }
        let text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        let root: Node?
        do {
            root = try Yams.compose(yaml: text, .basic, .default, .utf8)
        } catch let error as YamlError {
            throw place(error, path: path, text: text)
        }
        guard let root, root.scalar?.string != "" else { throw bad("it is empty") }
        var count = 0
        guard isBounded(root, &count) else {
            throw bad("it unfolds to more than \(mostNodes) values")
        }
        return root
    }

    private static func isBounded(_ node: Node, _ count: inout Int) -> Bool {
        count += 1
        guard count <= mostNodes else { return false }
        switch node {
        case .scalar, .alias: return true
        case .sequence(let items): return items.allSatisfy { isBounded($0, &count) }
        case .mapping(let pairs):
            return pairs.allSatisfy { isBounded($0.key, &count) && isBounded($0.value, &count) }
        }
    }

    /// Yams' error in one line.
    private static func place(_ error: YamlError, path: String, text: String) -> RecipeError {
        func at(_ line: Int, _ reason: String) -> RecipeError {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let line = min(line, lines.count)
            if lines.indices.contains(line - 1),
                lines[line - 1].prefix(while: \.isWhitespace)
                    .contains("\t")
            {
                return RecipeError(
                    file: path, line: line, reason: "a tab indents the line; YAML takes spaces")
            }
            return RecipeError(file: path, line: line, reason: "not YAML: \(reason)")
        }
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            return at(
                mark.line, [context?.text, problem].compactMap { $0 }.joined(separator: ", "))
        case .reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0)
            return at(1 + before.count { $0.isNewline }, problem)
        case .duplicatedKeysInMapping(let names, let context):
            return RecipeError(
                file: path, line: context.mark.line,
                reason: "\(names.joined(separator: ", ")): it is set twice")
        default: return RecipeError(file: path, reason: "not YAML: \(error)")
        }
    }
}
