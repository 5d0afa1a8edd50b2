/// Abbreviations, whose full stop belongs to them.
enum PennAbbreviations {
    private static let blank = LexicalPattern.one(.blank)
    private static let space = LexicalPattern.one(.space)
    private static let stop = LexicalPattern.word(".")

    /// Mostly before small letters; before a capital they end a sentence too.
    private static let ordinary =
        LexicalPattern.words(
            """
            jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri \
            ala ariz calif colo conn ct dak fla ga ind kan kans ky md mich minn mo mont neb nev \
            okla penn tenn va vt wis wisc wyo \
            inc co cos corp ltd plc rt bancorp bhd assn univ intl sys \
            tel est ext sq jr sr bros ed.d ph.d blvd rd esq etc al seq bldg
            """)
        | .names("Az Ark Del Ill La Mass Miss Ore Pa Tex Wash")
        | (.word("p") + .word("p").optional + .word("t") + .of("yes") + .word("s").optional)

    /// A letter, or letters with stops between them: "U.K".
    private static let initials =
        LexicalPattern.one(.latin) + (stop + .one(.latin)).anyNumber | countries
    static let dottedLetters =
        LexicalPattern.one(.latin) + (stop + .one(.latin)).some | countries
    private static let countries =
        (LexicalPattern.words("canada sino korean eu japan non") + .word("-u.s"))
        | (.word("u.s.-") + .words("u.k u.s.s.r"))

    /// Mostly before capitals; they are not taken for the end of a sentence.
    private static let titles =
        LexicalPattern.words(
            """
            mr mrs ms dr drs prof profs sen sens rep reps atty attys lt col gen messrs gov govs \
            adm rev maj sgt cpl pvt capt st ste ave pres lieut hon brig cmdr comdr pfc spc supt \
            supts det mt ft adj adv asst assoc ens insp mlle mme msgr sfc \
            vs alex wm jos cie a.k.a cf treas ph invt elec natl mtg mfg dept
            """)
        | .names("Miss") | initials

    private static let beforeNumbers = LexicalPattern.words(
        "ca fig figs prop no nos art bldg pp op")

    /// Words that begin a sentence, so that "A. It" is a letter and a full stop.
    private static let beginnings =
        LexicalPattern.names(
            """
            About According Additionally After An A As At But Earlier He Her Here However If In It \
            Last Many More Mr. Ms. Now Once One Other Our She Since So Some Such That The Their \
            Then There These They This We When While What Yet You
            """) | PennSymbols.markup.pattern

    /// What keeps its stop or loses it by what comes after a space.
    static let dependsOnNext: LexicalPattern =
        beforeNumbers | .one(.latin) | (.word("pt") + .of("eyEY")) | .word("co")

    static let rules: [LexicalRule] = [
        LexicalRule(
            .one(.latin) + stop, before: blank.some + beginnings + blank, .pushingBack(1)),
        LexicalRule(dottedLetters + stop, before: blank.some + beginnings + blank),
        LexicalRule(beforeNumbers + stop, before: blank.optional + .one(.digit)),
        LexicalRule(
            (.word("pt") + .of("eyEY") | .word("co")) + stop, before: space + .words("ltd lim")),
        LexicalRule(
            ordinary + stop,
            before: blank + (blank | .one(PennAbbreviations.sentenceStart))),
        LexicalRule(ordinary + stop, before: .one(.any).times(2)),
        LexicalRule(ordinary + stop),
        LexicalRule(titles + stop),
        LexicalRule(titles, before: space),
        LexicalRule(initials, before: blank),
    ]

    private static let sentenceStart = ScalarClass("", "A"..."Z") {
        $0.properties.generalCategory == .uppercaseLetter
    }
}
