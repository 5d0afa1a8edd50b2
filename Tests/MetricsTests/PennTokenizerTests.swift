import Testing

@testable import DualMetrics

@Suite struct PennTokenizerTests {
    /// Lines and what Stanford's tokenizer 3.4.1 made of them (`-preserveLines -lowerCase`), without
    /// the stops that it writes twice.
    static let lines: [(String, String)] = [
        (
            #"Anna's Kitchen isn't open; they'll say "we're closed"."#,
            #"anna 's kitchen is n't open ; they 'll say `` we 're closed '' ."#
        ),
        (
            #"You cannot wanna gimme lemme 'twas 'tis gonna."#,
            #"you can not wan na gim me lem me 't was 't is gon na ."#
        ),
        (
            #"It's £20-25 (or €30), i.e. 1 1/2 times $20,000.50!"#,
            #"it 's # 20-25 -lrb- or $ 30 -rrb- , i.e. 1 1/2 times $ 20,000.50 !"#
        ),
        (
            #"Mr. Li lives near St. Mary's, in the U.K. The pub is family-friendly."#,
            #"mr. li lives near st. mary 's , in the u.k. the pub is family-friendly ."#
        ),
        (
            #"See www.example.com, http://example.com/a?b=c or me@example.com."#,
            #"see www.example.com , http://example.com/a?b=c or me@example.com ."#
        ),
        (
            #"Rated 5/5... A. The no. 5 and No. x; Inc. It vs. them etc."#,
            #"rated 5/5 ... a . the no. 5 and no . x ; inc. it vs. them etc."#
        ),
        (
            #"Fish 'n' chips, o'clock, '90s, 1980s', rock-n-roll & R&B. :) :-("#,
            #"fish 'n' chips , o'clock , '90s , 1980s ' , rock-n-roll & r&b . :-rrb- :--lrb-"#
        ),
        (
            #"It is cheap.It is good,really-good -- yes – no — maybe."#,
            #"it is cheap.it is good,really-good -- yes -- no -- maybe ."#
        ),
        (
            #"“Quotes” ‘single’ «guillemets» `` '' ` ' " [brackets] {braces} <tag> <b class="x">"#,
            #"`` quotes '' ` single ' `` guillemets '' `` '' ` ' '' -lsb- brackets -rsb- -lcb- braces -rcb- <tag> <b class="x">"#
        ),
        (
            #"Call 020 7946 0958 or (020) 794-0958, +44 20.794.0958, 3½ ¼ x² 10.30pm @name #tag ***"#,
            #"call 020 7946 0958 or -lrb-020-rrb- 794-0958 , +44 20.794.0958 , 3 1/2 1/4 x ² 10.30 pm @name #tag ***"#
        ),
        (
            #"Don’t won’t c’est it’s Café Sicilia naïve ½ § ° 50% a+b=c x_y"#,
            #"do n't wo n't c’est it 's café sicilia naïve 1/2 § ° 50 % a + b = c x_y"#
        ),
        (
            #"pt. 5 Jan. 5 Feb. the Rd. The Corp. and co. ltd. pty. limited Ph.D. e.g. a.m. P.M."#,
            #"pt . 5 jan. 5 feb. the rd. the corp. and co. ltd. pty. limited ph.d. e.g. a.m. p.m."#
        ),
        (
            #"a  b\#tc   d"#,
            #"a b c d"#
        ),
    ]

    @Test("Text is split as Stanford's tokenizer splits it", arguments: lines)
    func tokens(_ line: String, _ expected: String) {
        #expect(PennTokenizer.tokens([line, ""])[0].joined(separator: " ") == expected)
    }

    @Test("Lines stay lines, empty ones too, whatever line ends are inside")
    func linesStay() {
        let tokens = PennTokenizer.tokens(["", "a\u{2028}b\r\nc", "", "d"])
        #expect(tokens == [[], ["a", "b", "c"], [], ["d"]])
    }

    @Test("What a line begins with decides about the stop at the end of the one before")
    func linesSeeTheNext() {
        #expect(PennTokenizer.tokens(["number no.", "5"])[0] == ["number", "no."])
        #expect(PennTokenizer.tokens(["number no.", "x"])[0] == ["number", "no", "."])
    }

    @Test("Captions have no punctuation but brackets")
    func captions() {
        let caption = CaptionTokens.captions(["Yes, it's \"good\" (very); isn't it?"])
        #expect(caption == ["yes it 's good -lrb- very -rrb- is n't it"])
    }
}
