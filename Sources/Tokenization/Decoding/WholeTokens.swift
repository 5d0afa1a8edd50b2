/// A decoder's rule for one whole token after the other.
protocol TokenRewriter: Sendable {
    /// What the next token becomes: tokens that are certain by now, possibly none.
    mutating func rewrite(_ token: String) -> [String]

    /// Tokens that were held back.
    mutating func finish() -> [String]
}

extension TokenRewriter {
    mutating func finish() -> [String] { [] }
}

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

/// Joins tokens with spaces, as `tokenizers` does when it has no decoder.
struct SpacedDecoder: TokenDecoder {
    func makeStream() -> any TokenStream { WholeTokens(Rewriter()) }

    private struct Rewriter: TokenRewriter {
        var isFirst = true

        mutating func rewrite(_ token: String) -> [String] {
            defer { isFirst = false }
            return [isFirst ? token : " " + token]
        }
    }
}
