/// What a processor may know of the text whose next token is scored.
struct TextSoFar {
    /// The prompt and what was generated after it, without padding.
    var tokens: [Int]
    /// Tokens of the prompt.
    let promptCount: Int

    var newCount: Int { tokens.count - promptCount }
    var newTokens: ArraySlice<Int> { tokens[promptCount...] }
}
