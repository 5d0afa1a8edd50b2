extension PythonText {
    static func uppercased(_ text: String) -> String {
        var made = ""
        for scalar in text.unicodeScalars { made += scalar.properties.uppercaseMapping }
        return made
    }

    static func lowercased(_ text: String) -> String {
        var made = ""
        let scalars = Array(text.unicodeScalars)
        for index in scalars.indices { made += lowercased(scalars, index) }
        return made
    }

    /// A capital sigma at the end of a word is another small letter than elsewhere.
    private static func lowercased(_ scalars: [Unicode.Scalar], _ index: Int) -> String {
        guard scalars[index] == "\u{3A3}" else {
            return scalars[index].properties.lowercaseMapping
        }
        func isLetter(_ scalars: some Sequence<Unicode.Scalar>) -> Bool {
            let next = scalars.first { !$0.properties.isCaseIgnorable }
            return next?.properties.isCased ?? false
        }
        let isLast =
            isLetter(scalars[..<index].reversed()) && !isLetter(scalars[(index + 1)...])
        return isLast ? "\u{3C2}" : "\u{3C3}"
    }

    /// Python's `str.title`: every letter behind what is none.
    static func titlecased(_ text: String) -> String {
        var made = ""
        var isWithin = false
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            made += isWithin ? lowercased(scalars, index) : scalar.properties.titlecaseMapping
            isWithin = scalar.properties.isCased
        }
        return made
    }

    /// Python's `str.capitalize`.
    static func capitalized(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        guard let first = scalars.first else { return "" }
        var made = first.properties.titlecaseMapping
        for index in scalars.indices.dropFirst() { made += lowercased(scalars, index) }
        return made
    }

    /// Jinja's filter `title`: every first character of a word.
    static func capitalizedWords(_ text: String) -> String {
        let delimiters: Set<Unicode.Scalar> = ["-", "(", "{", "[", "<"]
        var made = ""
        var remaining = Substring(text).unicodeScalars
        while let first = remaining.first {
            func isDelimiter(_ scalar: Unicode.Scalar) -> Bool {
                delimiters.contains(scalar) || scalar.isPythonSpace
            }
            let kind = isDelimiter(first)
            let word = remaining.prefix { isDelimiter($0) == kind }
            made += uppercased(String(first)) + lowercased(String(word.dropFirst()))
            remaining = remaining[word.endIndex...]
        }
        return made
    }

    /// Whether a text has letters that have a case, and all have one.
    static func isCased(_ text: String, as holds: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        let cased = text.unicodeScalars.filter(\.properties.isCased)
        return !cased.isEmpty && cased.allSatisfy { holds($0.properties) }
    }
}
