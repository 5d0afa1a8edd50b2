extension RegexParser {
    /// Reads a bracketed class, from its `[`.
    mutating func parseClass(ignoringCase: Bool, depth: Int = 0) throws(RegexError) -> ScalarSet {
        guard accept("["), depth < 100 else { throw RegexError(reason: "classes nest too deep") }
        let isNegated = accept("^")
        var sets: [ScalarSet] = []
        var operands: [ScalarSet] = []
        var isFirst = true
        while true {
            guard let scalar = peek() else { throw RegexError(reason: "a '[' has no ']'") }
            if scalar == "]", !isFirst {
                position += 1
                break
            }
            if scalar == "]", !scalars[(position + 1)...].contains("]") {
                throw RegexError(reason: "a class is empty")
            }
            isFirst = false
            if accept("&&") {
                operands.append(ScalarSet(union: sets))
                sets = []
                continue
            }
            sets.append(try parseClassItem(ignoringCase, depth))
        }
        operands.append(ScalarSet(union: sets))
        var result = operands.reduce(ScalarSet.all) { $0.intersection($1) }
        if ignoringCase { result = try RegexCaseFolding.closure(of: result) }
        return isNegated ? result.complement : result
    }

    /// One scalar, a range, or a set within a class.
    private mutating func parseClassItem(
        _ ignoringCase: Bool, _ depth: Int
    ) throws(RegexError) -> ScalarSet {
        if peek() == "[" {
            if let set = try parsePosixBracket() { return set }
            return try parseClass(ignoringCase: ignoringCase, depth: depth + 1)
        }
        let first = try parseClassMember()
        guard peek() == "-", let after = peek(1), after != "]", let lower = first.onlyMember,
            !(after == "&" && peek(2) == "&")
        else { return first }
        guard after != "[" else {
            throw RegexError(reason: "a range that ends in a class is not supported")
        }
        position += 1
        guard let upper = try parseClassMember().onlyMember, lower <= upper else {
            throw RegexError(reason: "a range in a class has no valid end")
        }
        return ScalarSet(lower...upper)
    }

    private mutating func parseClassMember() throws(RegexError) -> ScalarSet {
        guard let scalar = next() else { throw RegexError(reason: "a '[' has no ']'") }
        guard scalar == "\\" else { return ScalarSet(scalar) }
        if accept("b") { return ScalarSet("\u{8}") }
        return try parseClassEscape()
    }

    /// `[:alpha:]` or `[:^alpha:]`, if that comes next.
    private mutating func parsePosixBracket() throws(RegexError) -> ScalarSet? {
        guard peek(1) == ":" else { return nil }
        let start = position
        position += 2
        let isNegated = accept("^")
        var name = ""
        while let scalar = peek(), scalar.properties.isAlphabetic {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard accept(":]") else {
            position = start
            return nil
        }
        guard let set = RegexProperties.posixSet(name) else {
            throw RegexError(reason: "[:\(name):] is not supported")
        }
        return isNegated ? set.complement : set
    }

    /// Reads what stands behind a backslash and means one scalar or a set of them.
    mutating func parseClassEscape(inClass: Bool = true) throws(RegexError) -> ScalarSet {
        guard let scalar = next() else { throw RegexError(reason: "it ends in a backslash") }
        let word = inClass ? RegexProperties.word : RegexProperties.looseWord
        switch scalar {
        case "s": return RegexProperties.space
        case "S": return RegexProperties.space.complement
        case "d": return RegexProperties.digit
        case "D": return RegexProperties.digit.complement
        case "w": return word
        case "W": return word.complement
        case "h": return RegexProperties.hexadecimalDigit
        case "H": return RegexProperties.hexadecimalDigit.complement
        case "p", "P": return try parseProperty(isNegated: scalar == "P", word: word)
        case "t": return ScalarSet("\t")
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "f": return ScalarSet("\u{C}")
        case "v": return ScalarSet("\u{B}")
        case "a": return ScalarSet("\u{7}")
        case "e": return ScalarSet("\u{1B}")
        case "x", "u", "0": return ScalarSet(try parseCode(scalar))
        case "1"..."9", "A"..."Z", "a"..."z":
            throw RegexError(reason: "'\\\(scalar)' is not supported")
        default: return ScalarSet(scalar)
        }
    }

    /// `\x41`, `\x{1F600}`, `\u0041` or `\012`, from behind its first letter.
    private mutating func parseCode(_ kind: Unicode.Scalar) throws(RegexError) -> Unicode.Scalar {
        let isBraced = kind == "x" && accept("{")
        let (radix, most) = kind == "0" ? (8, 2) : isBraced ? (16, 8) : (16, kind == "u" ? 4 : 2)
        var digits = kind == "0" ? "0" : ""
        while let scalar = peek(), digits.count - (kind == "0" ? 1 : 0) < most,
            Int(String(scalar), radix: radix) != nil
        {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        guard let value = UInt32(digits, radix: radix), let scalar = Unicode.Scalar(value),
            !isBraced || accept("}"), kind != "u" || digits.count == 4
        else { throw RegexError(reason: "'\\\(kind)' is not followed by a code point") }
        guard isBraced || kind == "u" || value < 0x80 else {
            throw RegexError(
                reason: "'\\x\(digits)' is a byte; a character is spelled '\\x{\(digits)}'")
        }
        return scalar
    }

    /// `{Lu}` or `{^Lu}`, from behind `\p`.
    private mutating func parseProperty(
        isNegated: Bool, word: ScalarSet
    ) throws(RegexError) -> ScalarSet {
        guard accept("{") else { throw RegexError(reason: "'\\p' needs a name in braces") }
        let isInverted = accept("^") != isNegated
        var name = ""
        while let scalar = next() {
            guard scalar != "}" else {
                let isWord = RegexProperties.normalized(name) == "word"
                guard let set = isWord ? word : RegexProperties.set(named: name) else {
                    throw RegexError(reason: "the property '\(name)' is not supported")
                }
                return isInverted ? set.complement : set
            }
            name.unicodeScalars.append(scalar)
        }
        throw RegexError(reason: "'\\p{' has no '}'")
    }
}
