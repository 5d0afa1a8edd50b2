/// Splits English into tokens as the Penn Treebank does: "isn't" into "is" and "n't", "Zizzi's" into
/// "Zizzi" and "'s", brackets and quotes in the treebank's spelling; in lower case.
///
/// Reference: Stanford CoreNLP 3.4.1's `PTBTokenizer` with `-preserveLines -lowerCase`, which
/// coco-caption and the E2E challenge run. At every place the rule with the longest match wins, the
/// first of equals; what must follow a token counts in its length. Two things are others here: the
/// reference writes the stop of an abbreviation that ends a sentence twice, and splits scripts other
/// than the Latin one by tables of its own, not by what Unicode calls letters and digits.
struct PennTokenizer {
    /// The rules that may begin with each ASCII character; at 128, those for all others.
    private static let rules: [[LexicalRule]] = {
        let all = PennRules.all
        return (0..<128).map { value in
            all.filter { $0.mayBegin(with: Unicode.Scalar(UInt8(value))) }
        } + [all]
    }()

    /// The tokens of lines. What a line ends with may decide by what the next begins with whether a
    /// full stop belongs to an abbreviation.
    static func tokens(_ lines: [String]) -> [[String]] {
        let text = Array(lines.map(oneLine).joined(separator: "\n").unicodeScalars)
        var reader = PennReader(text: text, rules: rules)
        return reader.read()
    }

    /// A line end within a line would be one to the tokenizer; it separates like a space.
    private static func oneLine(_ line: String) -> String {
        guard line.unicodeScalars.contains(where: ScalarClass.lineEnd.contains) else { return line }
        let scalars = line.unicodeScalars.map { ScalarClass.lineEnd.contains($0) ? " " : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}

/// Walks through a text, token by token.
private struct PennReader {
    let text: [Unicode.Scalar]
    let rules: [[LexicalRule]]
    var position = 0
    var lines: [[String]] = [[]]
    /// The tokens of words that are split alike wherever they stand.
    var known: [[Unicode.Scalar]: [String]] = [:]

    mutating func read() -> [[String]] {
        while position < text.count {
            if let end = endOfPlainWord() { readWord(to: end) } else { readToken() }
        }
        return lines
    }

    private mutating func readWord(to end: Int) {
        let word = Array(text[position..<end])
        let last = lines.count - 1
        if let tokens = known[word] {
            lines[last] += tokens
            position = end
            return
        }
        let count = lines[last].count
        while position < end { readToken() }
        known[word] = Array(lines[last][count...])
    }

    /// The end of a word for which no rule looks behind the space that follows it; nil where there
    /// is no such word.
    private func endOfPlainWord() -> Int? {
        guard ScalarClass.latin.contains(text[position]),
            position == 0 || ScalarClass.blank.contains(text[position - 1])
        else { return nil }
        var end = position
        while end < text.count, Self.plain.contains(text[end]) { end += 1 }
        let stem = end
        if end < text.count, Self.stops.contains(text[end]) { end += 1 }
        guard end < text.count, ScalarClass.blank.contains(text[end]) else { return nil }
        let isAbbreviation =
            end > stem && text[stem] == "."
            && PennAbbreviations.dependsOnNext.ends(in: text, from: position).contains(stem)
        return isAbbreviation ? nil : end
    }

    private static let plain = ScalarClass.latin + ScalarClass("'-")
    private static let stops = ScalarClass(".,;:!?")

    /// Reads a token, or passes over what is none.
    private mutating func readToken() {
        guard let (rule, end) = longestMatch() else {
            position += 1
            return
        }
        let start = position
        position = end
        switch rule.outcome {
        case .lineEnd: lines.append([])
        case .nothing: break
        case .text: append(token(start..<end))
        case .pushingBack(let count):
            position = end - count
            append(token(start..<position))
        case .replaced(let spelling): append(spelling)
        case .changed(let change): append(change(token(start..<end)))
        }
    }

    private mutating func append(_ token: String) { lines[lines.count - 1].append(token) }

    private func longestMatch() -> (LexicalRule, end: Int)? {
        let candidates = rules[min(128, Int(text[position].value))]
        var best: (rule: Int, end: Int, reach: Int)?
        for rule in candidates.indices {
            guard let match = candidates[rule].match(in: text, from: position) else { continue }
            if let best, match.reach <= best.reach { continue }
            best = (rule, match.end, match.reach)
        }
        return best.map { (candidates[$0.rule], $0.end) }
    }

    private func token(_ range: Range<Int>) -> String {
        let scalars = text[range].filter { $0 != "\u{AD}" }
        // A soft hyphen alone is a hyphen: no token is empty.
        guard !scalars.isEmpty else { return "-" }
        return String(String.UnicodeScalarView(scalars)).lowercased()
    }
}
