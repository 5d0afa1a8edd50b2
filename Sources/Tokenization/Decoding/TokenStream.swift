/// One run of a decoder over the tokens of a text.
protocol TokenStream: Sendable {
    /// Takes the next part of a token and appends all output that is certain by now.
    mutating func append(_ part: TokenPart, to output: inout [TokenPart])

    /// Appends what was held back. No part follows.
    mutating func finish(_ output: inout [TokenPart])
}
