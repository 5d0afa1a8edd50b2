/// Numbers, dates, fractions, currencies and telephone numbers.
enum PennNumbers {
    private static let digit = LexicalPattern.one(.digit)
    private static let number = LexicalPattern.one(.number)
    private static let stroke =
        (LexicalPattern.of("\\").optional + .word("/")) | .of("\u{2044}")

    private static let quantity =
        digit.some
        | (digit.anyNumber + (.of(".:,\u{AD}\u{66B}\u{66C}") + digit.some).some)

    static let plain: [LexicalRule] = [
        LexicalRule(
            digit.times(1, 2) + .of("-/") + digit.times(1, 2) + .of("-/") + digit.times(2, 4)),
        LexicalRule(.of("-+").optional + quantity),
        LexicalRule(
            .of("\u{207A}\u{207B}\u{208A}\u{208B}").optional
                + (.one(
                    ScalarClass(
                        "\u{2070}\u{B9}\u{B2}\u{B3}", "\u{2074}"..."\u{2079}")
                ).some
                    | .one(ScalarClass("", "\u{2080}"..."\u{2089}")).some)),
        LexicalRule(
            (digit.times(1, 4) + .of("- \u{A0}")).optional + digit.times(1, 4) + stroke
                + digit.times(1, 4),
            .changed(unbroken)),
        LexicalRule(
            .one(ScalarClass("\u{BC}\u{BD}\u{BE}", "\u{2153}"..."\u{215E}")),
            .changed { $0.replacing(fractions) }),
    ]

    static let currency: [LexicalRule] = [
        LexicalRule((LexicalPattern.one(.capital).anyNumber + .word("$")) | .word("#")),
        LexicalRule(
            .of(
                """
                \u{A2}\u{A3}\u{A4}\u{A5}\u{80}\u{20A0}\u{20AC}\u{60B}\u{E3F}\u{20A4}\u{FFE0}\
                \u{FFE1}\u{FFE5}\u{FFE6}
                """),
            .changed { $0.replacing(currencyNames) }),
    ]

    static let telephone: LexicalRule = {
        let gap = LexicalPattern.of("- \u{A0}")
        let country = (LexicalPattern.word("+") + .word("+").optional).optional
        let area =
            (.word("(") + number.times(2, 3) + .word(")") + .of(" \u{A0}").optional)
            | (country + (number.times(2, 4) + gap).optional + number.times(2, 4) + gap)
        let spaced = area + number.times(3, 4) + gap.optional + number.times(3, 5)
        let dotted =
            (country + number.times(2, 4) + .word(".")).optional + number.times(2, 4)
            + .word(".") + number.times(3, 4) + .word(".") + number.times(3, 5)
        return LexicalRule(spaced | dotted, .changed { PennSymbols.brackets(unbroken($0)) })
    }()

    /// A token holds no space: "1 1/2" is joined by a space that does not break.
    @Sendable static func unbroken(_ token: String) -> String {
        token.replacing([" ": "\u{A0}"])
    }

    private static let fractions: [Unicode.Scalar: String] = [
        "\u{BC}": "1/4", "\u{BD}": "1/2", "\u{BE}": "3/4", "\u{2153}": "1/3", "\u{2154}": "2/3",
    ]

    /// The treebank has no pound sign and no euro sign.
    private static let currencyNames: [Unicode.Scalar: String] = [
        "\u{A2}": "cents", "\u{A3}": "#", "\u{80}": "$", "\u{A4}": "$", "\u{20A0}": "$",
        "\u{20AC}": "$",
    ]
}

extension String {
    /// The text with some characters replaced.
    func replacing(_ spellings: [Unicode.Scalar: String]) -> String {
        unicodeScalars.reduce(into: "") { $0 += spellings[$1] ?? String($1) }
    }
}
