/// Punctuation, quotes, brackets, faces and white space.
enum PennSymbols {
    /// A tag of SGML or XML is one token.
    static let markup: LexicalRule = {
        let name =
            LexicalPattern.one(.latin)
            + .one(.latinOrNumber + ScalarClass("_:.-")).anyNumber
        let quoted =
            (LexicalPattern.word("'") + .one(.except("'")).anyNumber + .word("'"))
            | (.word("\"") + .one(.except("\"")).anyNumber + .word("\""))
        let spaces = LexicalPattern.word(" ").anyNumber
        let attribute = name + (spaces + .word("=") + spaces + quoted).optional
        let inside =
            (.of("!?") + .one(.latin + ScalarClass("-")) + .one(.except(">\r\n")).anyNumber)
            | (name + (.word(" ").some + attribute).anyNumber + spaces + .word("/").optional)
            | (.word("/") + name)
        return LexicalRule(
            .word("<") + inside + spaces + .word(">"), .changed(PennNumbers.unbroken))
    }()

    static let dashes: [LexicalRule] = [
        LexicalRule(
            .words("&md; &mdash; &ndash;") | .of("\u{96}\u{97}\u{2013}\u{2014}\u{2015}"),
            .replaced("--")),
        LexicalRule(.word("&amp;"), .replaced("&")),
        LexicalRule(
            .words("&ht; &tl; &ur; &lr; &qc; &ql; &qr; &odq; &cdq;")
                | (.word("&#") + .one(.number).some + .word(";"))),
    ]

    private static let doubleQuote = LexicalPattern.words("\" &quot;")
    private static let openOrNumber = LexicalPattern.one(.latinOrNumber + ScalarClass("$"))

    static let quotes: [LexicalRule] = [
        LexicalRule(doubleQuote, before: openOrNumber, .replaced("``")),
        LexicalRule(doubleQuote, .replaced("''")),
        LexicalRule(.word("\u{7F}"), .nothing),
        LexicalRule(.words("< &lt;"), .replaced("<")),
        LexicalRule(.words("> &gt;"), .replaced(">")),
    ]

    static let faces: [LexicalRule] = {
        let face = .of("<>").optional + .of(":;=") + .of("-o*'").optional + .of("()DPdpO\\{@|[]")
        let eye = LexicalPattern.of("-^x=~<>'")
        let narrow = LexicalPattern.of("^x=~<>'")
        let eastern =
            (.of("^x=~<>") + .word(".[^x=~<>]")) | (eye + .word("_") + eye)
            | (.word("(") + eye + .of("_.").optional + eye + .word(")"))
            | (.word("(") + narrow + .word("-") + .of("^x=~<>'`") + .word(")"))
        let notLatin = LexicalPattern.one(ScalarClass.latinOrNumber.inverted)
        return [
            LexicalRule(face, before: notLatin, .changed(brackets)),
            LexicalRule(eastern, .changed(brackets)),
        ]
    }()

    static let marks: [LexicalRule] =
        ["{": "-lcb-", "}": "-rcb-", "[": "-lsb-", "]": "-rsb-", "(": "-lrb-", ")": "-rrb-"]
        .map { LexicalRule(.word($0.key), .replaced($0.value)) } + [
            LexicalRule(.word("-").times(3, 4), .replaced("--")),
            LexicalRule(.word("-").some),
            LexicalRule(
                .word(".").times(3, 5) | ((.word(".") + .of(" \u{A0}")).times(2, 4) + .word("."))
                    | .of("\u{85}\u{2026}"), .replaced("...")),
            LexicalRule(.word("@").some | .word("#").some | .word("_").some),
            LexicalRule(.word("*").some | .word("\\*").times(1, 3)),
            LexicalRule(.of(",;:\u{3001}")),
            LexicalRule(.of("?!").some),
            LexicalRule(
                .of(".\u{A1}\u{BF}\u{37E}\u{589}\u{61F}\u{6D4}\u{700}\u{701}\u{702}\u{7FA}\u{3002}")
            ),
            LexicalRule(.of("=/")),
        ]

    static let apostrophes: [LexicalRule] = [
        LexicalRule(
            .word("'"),
            before: .one(.latin) + .one(.except(" \t\n\r\u{A0}")), .replaced("`")),
        LexicalRule(
            PennWords.apostrophe + (.of("msdMSD") | .words("re ve ll")), .changed(rightQuotes)),
        LexicalRule(
            .word("n") + PennWords.wordApostrophe + .word("t"), .changed(rightQuotes)),
        LexicalRule(
            PennWords.apostrophe | .word("''")
                | .of(
                    """
                    `\u{2018}\u{2019}\u{201A}\u{201B}\u{201C}\u{201D}\u{91}\u{92}\u{93}\u{94}\
                    \u{201E}\u{201F}\u{2039}\u{203A}\u{AB}\u{BB}
                    """
                ).times(1, 2),
            .changed(rightQuotes)),
    ]

    static let leftovers: [LexicalRule] = [
        LexicalRule(.words("<< >>")),
        LexicalRule(.one(symbol)),
        LexicalRule(
            .word("\0") | .one(.space).some | .of("\u{200B}\u{200E}\u{200F}\u{FEFF}"), .nothing),
        LexicalRule(.one(.lineEnd), .lineEnd),
        LexicalRule(.word("&nbsp;"), .nothing),
    ]

    /// Signs that stand alone.
    private static let symbol = ScalarClass("+%&~^|\\") { scalar in
        switch scalar {
        case "\u{A6}", "\u{A7}", "\u{A8}", "\u{A9}", "\u{AC}", "\u{AE}"..."\u{B4}",
            "\u{B5}"..."\u{BA}", "\u{D7}", "\u{F7}", "\u{2016}", "\u{2017}",
            "\u{2020}"..."\u{2023}", "\u{2030}"..."\u{2038}", "\u{203B}",
            "\u{203E}"..."\u{2042}", "\u{2044}", "\u{207A}"..."\u{207F}",
            "\u{208A}"..."\u{208E}", "\u{2100}"..."\u{214F}", "\u{2190}"..."\u{2BFF}",
            "\u{3012}", "\u{30FB}", "\u{FF01}"..."\u{FF0F}", "\u{FF1A}"..."\u{FF20}",
            "\u{FF3B}"..."\u{FF40}", "\u{FF5B}"..."\u{FF65}":
            true
        default: false
        }
    }

    /// Quotes in the treebank's spelling, a plain one taken for a closing one.
    @Sendable static func rightQuotes(_ token: String) -> String {
        ampersand(token, "&apos;", "'").replacing(quoteSpellings)
    }

    private static let quoteSpellings: [Unicode.Scalar: String] = [
        "\u{91}": "`", "\u{2018}": "`", "\u{201B}": "`", "\u{2039}": "`", "\u{92}": "'",
        "\u{2019}": "'", "\u{203A}": "'", "\u{93}": "``", "\u{201C}": "``", "\u{AB}": "``",
        "\u{94}": "''", "\u{201D}": "''", "\u{BB}": "''",
    ]

    @Sendable static func brackets(_ token: String) -> String {
        token.replacing(["(": "-lrb-", ")": "-rrb-"])
    }

    @Sendable static func ampersand(_ token: String) -> String {
        ampersand(token, "&amp;", "&")
    }

    private static func ampersand(_ token: String, _ entity: String, _ sign: String) -> String {
        token.split(separator: entity, omittingEmptySubsequences: false).joined(separator: sign)
    }
}
