/// What a processor may know of the text whose next token is scored.
struct TextSoFar {
    /// A part of the text.
    enum Part { case text, prompt, newTokens }

    /// The prompt and what was generated after it, without padding.
    var tokens: [Int]
    /// Tokens of the prompt.
    let promptCount: Int

    var newCount: Int { tokens.count - promptCount }
    var newTokens: ArraySlice<Int> { tokens[promptCount...] }

    subscript(part: Part) -> ArraySlice<Int> {
        switch part {
        case .text: tokens[...]
        case .prompt: tokens[..<promptCount]
        case .newTokens: newTokens
        }
    }
}
