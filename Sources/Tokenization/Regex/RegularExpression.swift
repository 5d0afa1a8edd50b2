/// A regular expression of a tokenizer, with the meaning that Oniguruma gives it.
///
/// No text takes longer than a number of steps for each of its characters: a pattern that needs more,
/// as `(a+b)|a` may, is refused on that text.
struct RegularExpression: Sendable {
    private let program: RegexProgram
    private let pattern: String

    init(_ pattern: String) throws(RegexError) {
        self.pattern = pattern
        program = try RegexCompiler.compile(RegexParser.parse(pattern))
    }

    /// A pattern that matches a text as it is spelled.
    init(literal: String) throws(RegexError) {
        pattern = literal
        program = try RegexCompiler.compile(
            .sequence(literal.unicodeScalars.map { .scalars(ScalarSet($0)) }))
    }

    /// Lends a matcher over a text.
    ///
    /// - Parameter limit: of the steps that it takes; nil is what a text of this length grants.
    /// - Throws: ``RegexError`` when the matcher has used them up.
    func withMatcher<Result>(
        over text: [Unicode.Scalar], steps limit: Int? = nil, _ body: (inout RegexMatcher) -> Result
    ) throws(RegexError) -> Result {
        let steps = limit ?? RegexMatcher.steps(forLength: text.count)
        let (result, isSpent) = text.withUnsafeBufferPointer { text in
            program.instructions.withUnsafeBufferPointer { instructions in
                program.bitmaps.withUnsafeBufferPointer { bitmaps in
                    var matcher = RegexMatcher(program, text, instructions, bitmaps, steps: steps)
                    let result = body(&matcher)
                    return (result, matcher.isSpent)
                }
            }
        }
        guard !isSpent else {
            throw RegexError(
                reason: "the pattern '\(pattern)' takes more than "
                    + "\(steps) steps on a text of \(text.count) characters")
        }
        return result
    }
}
