/// Words, contractions and compounds.
enum PennWords {
    static let apostrophe = LexicalPattern.of("'\u{92}\u{2019}") | .word("&apos;")
    /// Also what stands for an apostrophe inside a word, rightly or wrongly.
    static let wordApostrophe = apostrophe | .of("`\u{91}\u{2018}\u{201B}")
    static let hyphen = LexicalPattern.of("-_\u{58A}\u{2010}\u{2011}")
    static let letter = LexicalPattern.one(.letter)
    private static let letterOrDigit = LexicalPattern.one(.letterOrDigit)
    private static let notLatin = LexicalPattern.one(ScalarClass.latin.inverted)
    private static let separator = LexicalPattern.of(",;:\u{3001}")
    private static let wordPart =
        LexicalPattern.one(.wordLetter) + .anyRun(.wordLetter + .digit)

    /// "food", but also "food.It": a stop without a space separates nothing.
    static let word = wordPart + (.of(".!?") + wordPart).anyNumber

    /// The 's, 'm, 'd, 're, 've and 'll of a verb or a possessor.
    private static let verbEnd = apostrophe + (.of("msdMSD") | .words("re ve ll"))
    private static let not = .word("n") + wordApostrophe + .word("t")
    /// A word before "n't" has another last letter than n: "isn't" is "is" and "n't".
    private static let beforeNot =
        LexicalPattern.one(.latin + ScalarClass("\u{AD}")).anyNumber
        + .one(ScalarClass("", "A"..."M", "O"..."Z", "a"..."m", "o"..."z"))
        + .of("\u{AD}").anyNumber

    /// Two words written as one.
    static let assimilations: [LexicalRule] = [
        LexicalRule(.word("c++")),
        LexicalRule(.words("c f") + .word("#")),
        LexicalRule(.word("cannot"), .pushingBack(3)),
        LexicalRule(.word("'twas"), .pushingBack(3)),
        LexicalRule(.word("'tis"), .pushingBack(2)),
        LexicalRule(.words("gonna gotta lemme gimme wanna"), .pushingBack(2)),
    ]

    static let words: [LexicalRule] = [
        LexicalRule(word, before: verbEnd),
        LexicalRule(beforeNot, before: not),
        LexicalRule(word),
        LexicalRule(apostropheWord),
        LexicalRule(.word("y") + apostrophe, before: letter),
    ]

    /// Words with an apostrophe that stays inside.
    private static let apostropheWord: LexicalPattern = {
        let vowel = LexicalPattern.of("aeiouyAEIOUY")
        return (apostrophe + .word("n") + apostrophe.optional)
            | (.of("lLdDjJ") + apostrophe)
            | (.words("dunkin somethin ol") + apostrophe)
            | (apostrophe + .words("em cause til till"))
            | (.one(ScalarClass("Zn", "A"..."H", "J"..."X")) + wordApostrophe
                + letter.times(2, .max))
            | (apostrophe + .one(ScalarClass("", "2"..."9")) + .word("0s"))
            | (letter.some + vowel + wordApostrophe
                + .one(ScalarClass("aeiou", "A"..."Z")) + letter.anyNumber)
            | .words("cont'd cont'd. 'twas nor'easter c'mon e'er s'mores ev'ry li'l nat'l")
            | (.word("o") + wordApostrophe + .word("o"))
    }()

    static let contractions: [LexicalRule] = [
        LexicalRule(verbEnd, before: notLatin, .changed(PennSymbols.rightQuotes)),
        LexicalRule(not, before: notLatin, .changed(PennSymbols.rightQuotes)),
    ]

    /// Words that no other rule keeps whole, and words with strokes: "and/or".
    static let special: [LexicalRule] = {
        let part = LexicalPattern.run(.latinOrNumber) + (.word("-") + .run(.latin)).times(0, 2)
        let stroke = LexicalPattern.of("\\").optional + .word("/")
        return [
            LexicalRule(
                (.word("-") + .words("RRB LRB RCB LCB RSB LSB") + .word("-"))
                    | .words("C.D.s pro- anti- S&P-500 S&Ls")
                    | (.word("cap") + apostrophe + .word("n"))
                    | (.word("c") + apostrophe + .word("est"))),
            LexicalRule(part + (stroke + part).times(1, 2)),
        ]
    }()

    /// Years as '85, names of files, words before a full stop that ends no sentence.
    static let leftovers: [LexicalRule] = [
        LexicalRule(apostrophe + .one(.number).times(2), before: .one(.blank)),
        LexicalRule(fileName, before: .one(.blank) | .of(".?!,")),
        LexicalRule(word + .word("."), before: separator),
    ]

    private static let fileName: LexicalPattern = {
        let part = LexicalPattern.run(.wordLetter + .digit)
        return part + (.word(".") + part).anyNumber + .word(".")
            + .words(
                """
                bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 \
                pdf php pl png ppt ps py sql tar txt wav x xml zip
                """)
    }()

    /// Words with hyphens, and abbreviations with ampersands: "family-friendly", "R&B".
    static let compounds: [LexicalRule] = {
        let soft = ScalarClass("\u{AD}")
        let hyphenated =
            LexicalPattern.one(.latinOrNumber)
            + .anyRun(.latinOrNumber + ScalarClass(".,") + soft)
            + (.word("-")
            + (.run(.latinOrNumber + soft)
                | (PennAbbreviations.dottedLetters + .word("."))))
            .some
        let part =
            (.of("dDoOlL") + wordApostrophe + letterOrDigit).optional + .run(.letterOrDigit)
        let thing = part + (hyphen + part).anyNumber
        let capitals = LexicalPattern.run(.capital)
        let joined = capitals + ((.of("+&") | .word("&amp;")) + capitals).some
        return [hyphenated, thing, joined].flatMap {
            [
                LexicalRule($0 + .word("."), before: separator, .changed(PennSymbols.ampersand)),
                LexicalRule($0, .changed(PennSymbols.ampersand)),
            ]
        }
    }()
}
