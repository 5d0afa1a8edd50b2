/// METEOR's normalization of English in small letters: symbols apart, contractions split, dots of
/// abbreviations and hyphens of compounds dropped.
///
/// Reference: METEOR 1.5 with `-l en -norm` (its tokenizer goes back to that of Moses).
enum MeteorWords {
    private typealias Text = [Unicode.Scalar]

    static func words(_ text: String) -> [String] {
        var text = [" "] + Array(text.unicodeScalars) + [" "]
        text = text.flatMap { isApart($0) ? [" ", $0, " "] : [$0] }
        text = separateDots(text)
        text = separateCommas(text)
        text = unifyQuotes(text)
        text = unifyDashes(text)
        text = replaceTriples(text, around: "-") {
            isLetterOrDigit($0) || $0 == "."
        } right: {
            isLetterOrDigit($0)
        } by: {
            [" "]
        }
        text = splitContractions(text)
        return breakStops(text).split(whereSeparator: isSpace).map {
            String(String.UnicodeScalarView($0)).lowercased()
        }
    }

    /// Letters of Europe's languages, Latin and Cyrillic, as the reference lists them.
    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "A"..."Z", "a"..."z", "\u{C0}"..."\u{D6}", "\u{D8}"..."\u{F6}",
            "\u{F8}"..."\u{17E}", "\u{400}"..."\u{4FF}", "\u{500}"..."\u{527}",
            "\u{A640}"..."\u{A66E}", "\u{A67E}"..."\u{A697}", "\u{1D00}"..."\u{1D7F}":
            true
        default: false
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { "0"..."9" ~= scalar }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || isLetter(scalar)
    }

    /// What Java's `\s` and `StringTokenizer` take for white space.
    private static func isJavaSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || 9...13 ~= scalar.value
    }

    /// What parts words in the end.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\r", "\u{C}", " ", "\u{A0}", "\u{2000}"..."\u{200A}", "\u{202F}",
            "\u{205F}", "\u{3000}":
            true
        default: false
        }
    }

    /// Symbols that stand alone at once; stops, hyphens and quotes are looked at later.
    private static func isApart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ".", "'", "`", ",", "-", "\u{2018}", "\u{2019}": false
        default: !isLetterOrDigit(scalar) && !isJavaSpace(scalar)
        }
    }

    /// Stands for the dots of a row of them, which no later step may part.
    private static let dotOfRow: Unicode.Scalar = "\u{E000}"

    private static func separateDots(_ text: Text) -> Text {
        var (result, index) = (Text(), 0)
        while index < text.count {
            var end = index
            while end < text.count, text[end] == "." { end += 1 }
            if end - index > 1 {
                result += [" "] + Text(repeating: dotOfRow, count: end - index) + [" "]
                index = end
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func separateCommas(_ text: Text) -> Text {
        let other = { !isDigit($0) }
        let apart: Text = [" ", ",", " "]
        var text = replaceTriples(text, around: ",", left: other, right: other) { apart }
        text = replaceTriples(text, around: ",", left: isDigit, right: other) { apart }
        return replaceTriples(text, around: ",", left: other, right: isDigit) { apart }
    }

    private static func unifyQuotes(_ text: Text) -> Text {
        let single = text.map { "`\u{2018}\u{2019}".unicodeScalars.contains($0) ? "'" : $0 }
        var (result, index) = (Text(), 0)
        while index < single.count {
            if single[index...].starts(with: ["'", "'"]) {
                result += [" ", "\"", " "]
                index += 2
            } else if single[index] == "\u{201C}" || single[index] == "\u{201D}" {
                result += [" ", "\"", " "]
                index += 1
            } else {
                result.append(single[index])
                index += 1
            }
        }
        return result
    }

    private static func unifyDashes(_ text: Text) -> Text {
        var (result, index) = (Text(), 0)
        let dashes = text.map { $0 == "\u{2013}" ? "-" : $0 }
        while index < dashes.count {
            result.append(dashes[index])
            index += dashes[index...].starts(with: ["-", "-"]) ? 2 : 1
        }
        return result
    }

    /// Splits "it's" before its apostrophe, and sets an apostrophe that joins nothing alone.
    private static func splitContractions(_ text: Text) -> Text {
        let other = { !isLetter($0) }
        let apart: Text = [" ", "'", " "]
        let before: Text = [" ", "'"]
        var text = replaceTriples(text, around: "'", left: other, right: other) { apart }
        text = replaceTriples(text, around: "'") {
            other($0) && !isDigit($0)
        } right: {
            isLetter($0)
        } by: {
            apart
        }
        text = replaceTriples(text, around: "'", left: isLetter, right: other) { apart }
        text = replaceTriples(text, around: "'", left: isLetter, right: isLetter) { before }
        return replaceTriples(text, around: "'", left: isDigit, right: { $0 == "s" }) { before }
    }

    /// Replaces a sign between two characters, from the left, each character in one place at most.
    private static func replaceTriples(
        _ text: Text, around sign: Unicode.Scalar, left: (Unicode.Scalar) -> Bool,
        right: (Unicode.Scalar) -> Bool, by replacement: () -> Text
    ) -> Text {
        guard text.contains(sign) else { return text }
        var (result, index) = (Text(), 0)
        while index < text.count {
            if index + 2 < text.count, text[index + 1] == sign, left(text[index]),
                right(text[index + 2])
            {
                result += [text[index]] + replacement() + [text[index + 2]]
                index += 3
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    /// Parts the stop of a sentence from its last word; those of abbreviations stay or vanish.
    private static func breakStops(_ text: Text) -> Text {
        let words = text.split(whereSeparator: isSeparator).map(Text.init)
        let broken = words.indices.map { index in
            brokenStop(words[index], before: index + 1 < words.count ? words[index + 1] : [])
        }
        return Text(broken.joined(separator: [" "])).map { $0 == dotOfRow ? "." : $0 }
    }

    /// What parts words before stops are looked at.
    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        isJavaSpace(scalar) && scalar != "\u{B}"
    }

    /// Abbreviations that keep their stop. The text is in small letters already, so that titles,
    /// which the reference lists with a capital, keep theirs only before a small letter.
    private static let abbreviations: Set<String> = ["v", "vs", "rev"]
    private static let beforeNumbers: Set<String> = ["pp"]

    private static func brokenStop(_ word: Text, before next: Text) -> Text {
        guard word.count > 1, word.last == "." else { return word }
        let stem = Text(word.dropLast())
        if stem.contains("."), stem.contains(where: isLetter) { return word.filter { $0 != "." } }
        let spelling = String(String.UnicodeScalarView(stem))
        let isBeforeSmall = next.first.map { "a"..."z" ~= $0 } ?? false
        let isBeforeNumber = next.first.map(isDigit) ?? false
        if abbreviations.contains(spelling) || isBeforeSmall { return word }
        if beforeNumbers.contains(spelling), isBeforeNumber { return word }
        return stem + [" ", "."]
    }
}
