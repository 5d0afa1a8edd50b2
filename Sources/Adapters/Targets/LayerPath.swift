import Foundation

/// The path of a layer, and the regular expressions that name some: Python's, for PEFT reads them too.
enum LayerPath {
    /// Whether the whole of a path matches.
    ///
    /// The match is given up where it goes back too often: patterns come from files, and one such as
    /// `((...)*)*` needs time that doubles with every letter of a path.
    /// - Parameter name: what messages call the pattern; nil for itself.
    /// - Throws: ``AdapterError/badPattern(_:)``, ``AdapterError/slowPattern(_:path:)``.
    static func matches(
        _ path: String, _ pattern: String, named name: String? = nil
    ) throws -> Bool {
        let spelled = pattern.replacing("(?P<", with: "(?<").replacing(
            /\(\?P=(\w+)\)/, with: { "\\k<\($0.output.1)>" })
        guard isKnownToPython(pattern),
            let expression = try? NSRegularExpression(pattern: "(?:\(spelled))\\z")
        else { throw AdapterError.badPattern(name ?? pattern) }
        var (isFound, reports) = (false, 0)
        expression.enumerateMatches(
            in: path, options: [.anchored, .reportProgress],
            range: NSRange(path.startIndex..., in: path)
        ) { match, flags, stop in
            if match != nil {
                isFound = true
            } else if flags.contains(.progress) {
                reports += 1
            }
            stop.pointee = ObjCBool(isFound || reports > mostReports)
        }
        guard isFound || reports <= mostReports else {
            throw AdapterError.slowPattern(name ?? pattern, path: path)
        }
        return isFound
    }

    /// Reports of progress in one match, each of 10,000 steps of ICU's; a path of 100 letters takes a
    /// plain pattern some hundreds. Long before a hundred times as many ICU's own stack would be full,
    /// which it tells no one.
    private static let mostReports = 5

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
