/// Addresses of pages, people and posts.
enum PennAddresses {
    private static let open = " \t\n\u{C}\r\"<>|(){}"
    private static let stops = ".!?,-"

    static let rules: [LexicalRule] = [
        LexicalRule(.word("http") + .word("s").optional + .word("://") + pathTo),
        LexicalRule(page),
        LexicalRule(mail),
        LexicalRule(
            (.word("@") + .one(.latin + ScalarClass("_"))
                + .one(.latinOrNumber + ScalarClass("_")).anyNumber)
                | (.word("#") + .one(.wordLetter).some)),
    ]

    /// An address does not end in a stop or a bracket.
    private static let pathTo =
        LexicalPattern.one(.except(open)).some + .one(.except(open + stops))

    private static let page: LexicalPattern = {
        let host = LexicalPattern.run(.except(" \t\n\u{C}\r\"<>|.!?(){},")) + .word(".")
        let excluded = ScalarClass(" \t\n\u{C}\r\"`'<>|.!?(){},$", ","..."_")
        let bareHost = LexicalPattern.run(excluded.inverted) + .word(".")
        let path = LexicalPattern.one(.except(" \t\n\u{C}\r\"<>|()")).some
        let tail = .word("/") + path + .one(.except(open + stops))
        return
            ((.word("www.") + host.some + .one(.latin).times(2, 4))
            | (bareHost.some + .words("com net org edu"))) + tail.optional
    }()

    private static let mail: LexicalPattern = {
        let before = ScalarClass(" \t\n\u{C}\r\"<>|()\u{A0}{}").inverted
        let after = LexicalPattern.run(.except(" \t\n\u{C}\r\"<>|(){}.\u{A0}"))
        return
            (.words("&lt; <").optional + .one(.latinOrNumber) + .one(before).anyNumber
            + .word("@") + (after + .word(".")).anyNumber + after
            + .words("&gt; >").optional)
    }()
}
