/// The way back: rewrites the spellings of tokens so that they join to a text, as the decoders of
/// `tokenizers` do.
///
/// There is one implementation, which takes tokens as they come; decoding a whole list runs it.
/// So a text that is streamed cannot differ from one that is decoded at once.
protocol TokenDecoder: Sendable {
    func makeStream() -> any TokenStream
}

extension TokenDecoder {
    /// What the tokens become; the text is what they join to.
    func decode(_ tokens: [String]) -> [String] {
        var stream = makeStream()
        var parts: [TokenPart] = []
        for token in tokens { stream.append(TokenPart(text: token, endsToken: true), to: &parts) }
        stream.finish(&parts)
        return parts.joinedTokens
    }
}

/// A stretch of a token. A decoder that fuses tokens passes its one token on piece by piece.
struct TokenPart: Equatable, Sendable {
    var text: String
    var endsToken: Bool
}

/// One run of a decoder over the tokens of a text.
protocol TokenStream: Sendable {
    /// Takes the next part of a token and appends all output that is certain by now.
    mutating func append(_ part: TokenPart, to output: inout [TokenPart])

    /// Appends what was held back. No part follows.
    mutating func finish(_ output: inout [TokenPart])
}

extension [TokenPart] {
    /// The tokens that the parts make up.
    var joinedTokens: [String] {
        var tokens: [String] = []
        var partial: String?
        for part in self {
            partial = (partial ?? "") + part.text
            if part.endsToken, let token = partial {
                tokens.append(token)
                partial = nil
            }
        }
        if let partial { tokens.append(partial) }
        return tokens
    }
}

/// Applies one decoder after the other: `decoders.Sequence` of `tokenizers`.
struct DecoderSequence: TokenDecoder {
    let decoders: [any TokenDecoder]

    func makeStream() -> any TokenStream {
        TokenStreamSequence(streams: decoders.map { $0.makeStream() })
    }
}

private struct TokenStreamSequence: TokenStream {
    var streams: [any TokenStream]

    mutating func append(_ part: TokenPart, to output: inout [TokenPart]) {
        output += advance([part], from: 0)
    }

    mutating func finish(_ output: inout [TokenPart]) {
        for index in streams.indices {
            var rest: [TokenPart] = []
            streams[index].finish(&rest)
            output += advance(rest, from: index + 1)
        }
    }

    /// Sends parts through all streams from one on.
    private mutating func advance(_ parts: [TokenPart], from first: Int) -> [TokenPart] {
        var parts = parts
        for index in streams.indices.dropFirst(first) {
            var next: [TokenPart] = []
            for part in parts { streams[index].append(part, to: &next) }
            parts = next
        }
        return parts
    }
}
