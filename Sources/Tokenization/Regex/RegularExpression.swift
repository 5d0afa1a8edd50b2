/// A regular expression of a tokenizer, with the meaning that Oniguruma gives it.
struct RegularExpression: Sendable {
    private let program: RegexProgram

    init(_ pattern: String) throws(RegexError) {
        program = try RegexCompiler.compile(RegexParser.parse(pattern))
    }

    /// A pattern that matches a text as it is spelled.
    init(literal: String) throws(RegexError) {
        program = try RegexCompiler.compile(
            .sequence(literal.unicodeScalars.map { .scalars(ScalarSet($0)) }))
    }

    /// Lends a matcher over a text.
    func withMatcher<Result>(
        over text: [Unicode.Scalar], _ body: (inout RegexMatcher) -> Result
    ) -> Result {
        text.withUnsafeBufferPointer { text in
            program.instructions.withUnsafeBufferPointer { instructions in
                program.bitmaps.withUnsafeBufferPointer { bitmaps in
                    var matcher = RegexMatcher(program, text, instructions, bitmaps)
                    return body(&matcher)
                }
            }
        }
    }
}
