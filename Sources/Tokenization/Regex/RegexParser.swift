/// Reads a pattern in the syntax that `tokenizers` gives Oniguruma, which is Ruby's.
///
/// What a pattern of a tokenizer has use for is supported; all else is refused by name:
/// back-references and calls, conditions, absent groups, `\X`, `\K`, `\G`, `\y`, a repetition
/// without limit of what can match nothing, and letters behind a backslash without a meaning.
struct RegexParser {
    private struct Options {
        var ignoresCase = false
        var dotMatchesLineFeed = false
        var isExtended = false
    }

    private(set) var scalars: [Unicode.Scalar]
    var position = 0
    private var options = Options()
    private var depth = 0

    /// Deeper nesting is refused: what walks over the nodes does so recursively.
    private static let greatestDepth = 200

    static func parse(_ pattern: String) throws(RegexError) -> RegexNode {
        var parser = RegexParser(scalars: Array(pattern.unicodeScalars))
        let node = try parser.parseAlternation()
        guard parser.position == parser.scalars.count else {
            throw RegexError(reason: "a ')' has no '('")
        }
        return node
    }

    private init(scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    // Reading.

    func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        position + offset < scalars.count ? scalars[position + offset] : nil
    }

    mutating func next() -> Unicode.Scalar? {
        guard let scalar = peek() else { return nil }
        position += 1
        return scalar
    }

    /// Whether the given text comes next; then it is passed over.
    mutating func accept(_ text: String) -> Bool {
        let wanted = text.unicodeScalars
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    // Alternatives and sequences.

    private mutating func parseAlternation() throws(RegexError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.greatestDepth else {
            throw RegexError(reason: "groups nest deeper than \(Self.greatestDepth)")
        }
        var branches = [try parseSequence()]
        while accept("|") { branches.append(try parseSequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func parseSequence() throws(RegexError) -> RegexNode {
        var nodes: [RegexNode] = []
        var literals: [UInt32] = []
        while let scalar = peek(), scalar != "|", scalar != ")" {
            if skipsExtendedSpace() { continue }
            let start = position
            let atom = try parseAtom()
            if options.ignoresCase, case .scalars(let set) = atom, let least = set.boundaries.first,
                scalars[start] != "["
            {
                literals.append(least)
                try RegexCaseFolding.check(literals: literals)
            } else {
                literals = []
            }
            let node = try parseQuantifiers(of: atom)
            if node != atom { literals = [] }
            if node != .empty { nodes.append(node) }
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    /// Passes over white space or a comment where the option `x` is set.
    private mutating func skipsExtendedSpace() -> Bool {
        guard options.isExtended, let scalar = peek() else { return false }
        if scalar == "#" {
            while let scalar = peek(), scalar != "\n" { _ = (scalar, next()) }
            return true
        }
        guard RegexProperties.space.contains(scalar) else { return false }
        position += 1
        return true
    }

    private mutating func parseAtom() throws(RegexError) -> RegexNode {
        guard let scalar = next() else { return .empty }
        switch scalar {
        case "(": return try parseGroup()
        case "[":
            position -= 1
            return .scalars(try parseClass(ignoringCase: options.ignoresCase))
        case ".": return .scalars(options.dotMatchesLineFeed ? .all : .notLineFeed)
        case "^": return .anchor(.lineStart)
        case "$": return .anchor(.lineEnd)
        case "\\": return try parseEscape()
        case "?", "*", "+":
            throw RegexError(reason: "'\(scalar)' has nothing to repeat")
        default: return .scalars(try folded(ScalarSet(scalar)))
        }
    }

    private func folded(_ set: ScalarSet) throws(RegexError) -> ScalarSet {
        options.ignoresCase ? try RegexCaseFolding.closure(of: set) : set
    }

    private mutating func parseEscape() throws(RegexError) -> RegexNode {
        guard let scalar = next() else { throw RegexError(reason: "it ends in a backslash") }
        switch scalar {
        case "A": return .anchor(.textStart)
        case "z": return .anchor(.textEnd)
        case "Z": return .anchor(.lastLineEnd)
        case "b": return .anchor(.wordBoundary)
        case "B": return .anchor(.notWordBoundary)
        case "N": return .scalars(.notLineFeed)
        case "O": return .scalars(.all)
        case "R":
            let lineEnds = ScalarSet(union: [ScalarSet(0xA...0xD), ScalarSet(0x85...0x85)])
            let separators = ScalarSet(0x2028...0x2029)
            return .atomic(
                .alternation([
                    .sequence([.scalars(ScalarSet("\r")), .scalars(ScalarSet("\n"))]),
                    .scalars(ScalarSet(union: [lineEnds, separators])),
                ]))
        default:
            position -= 1
            return .scalars(try folded(try parseClassEscape(inClass: false)))
        }
    }

    // Groups.

    private mutating func parseGroup() throws(RegexError) -> RegexNode {
        guard accept("?") else { return try parseBody() }
        for (mark, isAhead, isNegated) in [
            ("=", true, false), ("!", true, true), ("<=", false, false), ("<!", false, true),
        ] where accept(mark) {
            let body = try parseBody()
            if !isAhead, body.greatestLength == nil {
                throw RegexError(reason: "a look-behind without limit is not supported")
            }
            return .look(body, isAhead: isAhead, isNegated: isNegated)
        }
        if accept(">") { return .atomic(try parseBody()) }
        if accept("#") {
            while let scalar = next() { if scalar == ")" { return .empty } }
            throw RegexError(reason: "a comment has no end")
        }
        if accept("<") { return try parseNamedGroup(until: ">") }
        if accept("'") { return try parseNamedGroup(until: "'") }
        return try parseOptions()
    }

    private mutating func parseBody() throws(RegexError) -> RegexNode {
        let outer = options
        defer { options = outer }
        let node = try parseAlternation()
        guard accept(")") else { throw RegexError(reason: "a '(' has no ')'") }
        return node
    }

    private mutating func parseNamedGroup(
        until end: Unicode.Scalar
    ) throws(RegexError) -> RegexNode {
        let start = position
        while let scalar = next() {
            if scalar == end, position - start > 1 { return try parseBody() }
            guard RegexProperties.word.contains(scalar) else { break }
        }
        throw RegexError(reason: "a group has no valid name")
    }

    /// `(?i:...)`, or `(?i)`, which holds to the end of the group around it, over all of its
    /// alternatives that follow.
    private mutating func parseOptions() throws(RegexError) -> RegexNode {
        let outer = options
        var isOn = true
        while let scalar = next() {
            switch scalar {
            case "-": isOn = false
            case "i": options.ignoresCase = isOn
            case "m": options.dotMatchesLineFeed = isOn
            case "x": options.isExtended = isOn
            case ":":
                let node = try parseBody()
                options = outer
                return node
            case ")":
                let node = try parseAlternation()
                options = outer
                return node
            default:
                throw RegexError(reason: "the group '(?\(scalar)' is not supported")
            }
        }
        throw RegexError(reason: "a '(' has no ')'")
    }
}
