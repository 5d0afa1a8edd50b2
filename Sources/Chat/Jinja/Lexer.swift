/// Cuts a template into tokens, as Jinja's lexer does with `trim_blocks` and `lstrip_blocks`.
struct Lexer {
    private(set) var reader: SourceReader
    private(set) var tokens: [Token] = []
    /// Whether what was read last ended a line, so that white space before a tag is an indentation.
    private var startsLine = true

    private enum Tag { case variable, block, comment }

    private init(_ source: String) { reader = SourceReader(source) }

    static func tokens(of source: String) throws(Fault) -> [Token] {
        var lexer = Lexer(source)
        while let tag = lexer.readText() {
            if tag == .comment {
                try lexer.skipComment()
            } else {
                try lexer.readTag(tag)
            }
        }
        lexer.append(.end)
        return lexer.tokens
    }

    private mutating func append(_ kind: Token.Kind, line: Int? = nil) {
        tokens.append(Token(kind: kind, line: line ?? reader.line))
    }

    /// Reads up to and over the opening of a tag; nil at the end of the template.
    private mutating func readText() -> Tag? {
        let (start, line) = (reader.position, reader.line)
        while !reader.isAtEnd {
            if let tag = opening() {
                var text = reader.text(from: start)
                reader.skip(2)
                let sign = reader.skipSign()
                strip(&text, sign, tag)
                if !text.isEmpty { append(.data(String(text)), line: line) }
                if tag != .comment { append(tag == .block ? .blockBegin : .variableBegin) }
                return tag
            }
            reader.skip(1)
        }
        let text = reader.text(from: start)
        if !text.isEmpty { append(.data(String(text)), line: line) }
        return nil
    }

    private func opening() -> Tag? {
        guard reader.peek() == "{" else { return nil }
        switch reader.peek(1) {
        case "%": return .block
        case "{": return .variable
        case "#": return .comment
        default: return nil
        }
    }

    /// Takes away the white space before a tag that asks for it, or that is alone on its line.
    private func strip(
        _ text: inout Substring.UnicodeScalarView, _ sign: Unicode.Scalar?, _ tag: Tag
    ) {
        if sign == "-" {
            while let last = text.last, last.isPythonSpace { text.removeLast() }
        } else if sign != "+", tag != .variable {
            let lineStart = text.lastIndex(of: "\n").map { text.index(after: $0) }
            guard lineStart != nil || startsLine else { return }
            let lastLine = text[(lineStart ?? text.startIndex)...]
            if lastLine.allSatisfy(\.isPythonSpace) { text = text[..<lastLine.startIndex] }
        }
    }

    private mutating func skipComment() throws(Fault) {
        let line = reader.line
        while !reader.isAtEnd {
            if skipEnd("#}", takesNewline: true) { return }
            reader.skip(1)
        }
        throw .syntax("the comment has no end '#}'", line: line)
    }

    /// Skips a tag's end with its sign and the white space that it takes along.
    private mutating func skipEnd(_ end: String, takesNewline: Bool) -> Bool {
        let sign = reader.peek()
        let signed = sign == "-" || (sign == "+" && takesNewline)
        guard reader.has(end, at: signed ? 1 : 0) else { return false }
        let start = reader.position
        reader.skip(signed ? 3 : 2)
        if sign == "-" {
            reader.skipSpace()
        } else if !signed, takesNewline, reader.peek() == "\n" {
            reader.skip(1)
        }
        startsLine = reader.text(from: start).last == "\n"
        return true
    }

    private mutating func readTag(_ tag: Tag) throws(Fault) {
        var open: [Unicode.Scalar] = []
        while true {
            reader.skipSpace()
            let line = reader.line
            if open.isEmpty, skipEnd(tag == .block ? "%}" : "}}", takesNewline: tag == .block) {
                return append(tag == .block ? .blockEnd : .variableEnd, line: line)
            }
            guard let kind = try reader.tagToken() else { return }
            if case .symbol(let symbol) = kind { try Self.balance(symbol, &open, line) }
            append(kind, line: line)
        }
    }

    private static func balance(
        _ symbol: String, _ open: inout [Unicode.Scalar], _ line: Int
    ) throws(Fault) {
        switch symbol {
        case "{": open.append("}")
        case "(": open.append(")")
        case "[": open.append("]")
        case "}", ")", "]":
            guard let expected = open.popLast() else {
                throw .syntax("unexpected '\(symbol)'", line: line)
            }
            if String(expected) != symbol {
                throw .syntax("unexpected '\(symbol)', expected '\(expected)'", line: line)
            }
        default: break
        }
    }
}
