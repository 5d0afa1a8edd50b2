import DualJSON

/// What is said where a command fails: one line, however long or odd the words that it quotes.
enum FailureText {
    /// Characters of a word that is quoted whole: a path may be long.
    private static let longestWord = 400
    private static let longestLine = 4_000

    /// - Parameter words: those of the call, which the text may quote.
    static func line(_ text: String, quoting words: [String]) -> String {
        var text = text
        for word in words.flatMap({ [$0, value(in: $0)] })
        where word.unicodeScalars.count > longestWord {
            text = text.replacing(word, with: word.excerpt())
        }
        return text.excerpt(longestLine)
    }

    /// What stands behind the equals sign of a flag.
    private static func value(in word: String) -> String {
        String(word.drop { $0 != "=" }.dropFirst())
    }
}
