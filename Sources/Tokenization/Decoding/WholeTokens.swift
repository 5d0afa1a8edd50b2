/// Runs a rule that needs whole tokens, and collects their parts for it.
struct WholeTokens<Rewriter: TokenRewriter>: TokenStream {
    private var rewriter: Rewriter
    private var partial: String?

    init(_ rewriter: Rewriter) {
        self.rewriter = rewriter
    }

    mutating func append(_ part: TokenPart, to output: inout [TokenPart]) {
        let token = partial.map { $0 + part.text } ?? part.text
        guard part.endsToken else {
            partial = token
            return
        }
        partial = nil
        Self.append(rewriter.rewrite(token), to: &output)
    }

    mutating func finish(_ output: inout [TokenPart]) {
        if let partial { Self.append(rewriter.rewrite(partial), to: &output) }
        partial = nil
        Self.append(rewriter.finish(), to: &output)
    }

    private static func append(_ tokens: [String], to output: inout [TokenPart]) {
        for token in tokens { output.append(TokenPart(text: token, endsToken: true)) }
    }
}
