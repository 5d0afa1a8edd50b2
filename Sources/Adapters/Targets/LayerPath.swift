import Foundation

/// The path of a layer, and the regular expressions that name some: Python's, for PEFT reads them too.
enum LayerPath {
    /// Whether the whole of a path matches.
    /// - Throws: ``AdapterError/badPattern(_:)``.
    static func matches(_ path: String, _ pattern: String) throws -> Bool {
        let spelled = pattern.replacing("(?P<", with: "(?<").replacing(
            /\(\?P=(\w+)\)/, with: { "\\k<\($0.output.1)>" })
        guard isKnownToPython(pattern),
            let expression = try? NSRegularExpression(pattern: "(?:\(spelled))\\z")
        else { throw AdapterError.badPattern(pattern) }
        let whole = NSRange(path.startIndex..., in: path)
        return expression.firstMatch(in: path, options: .anchored, range: whole) != nil
    }

    /// Whether a pattern has none of what other dialects have besides: `\p{L}`, `[[:alpha:]]`, `(?<n>...)`.
    private static func isKnownToPython(_ pattern: String) -> Bool {
        var remaining = pattern[...]
        while let index = remaining.firstIndex(where: { "\\([".contains($0) }) {
            let (sign, after) = (remaining[index], remaining[remaining.index(after: index)...])
            remaining = after
            switch sign {
            case "\\":
                guard let escaped = after.first else { return false }
                if escaped.isASCII, escaped.isLetter, !"AbBdDsSwWZafnrtvxuUN".contains(escaped) {
                    return false
                }
                remaining = after.dropFirst()
            case "[": if after.hasPrefix("[:") { return false }
            default: if after.prefixMatch(of: /\?<[^=!]/) != nil { return false }
            }
        }
        return true
    }
}
