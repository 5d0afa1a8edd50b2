import DualTorch

/// A prompt in one forward pass: its virtual tokens, and their places in the rows.
struct PromptTokens {
    private let prompt: any InputPrompt
    let tokens: VirtualTokens

    init(_ prompt: any InputPrompt, tokens: VirtualTokens) {
        self.prompt = prompt
        self.tokens = tokens
    }

    /// Embeddings (B, T, E) with the prompt's before every sequence: (B, T', E).
    func inserted(into embedded: Tensor, mode: ForwardMode) throws -> Tensor {
        let virtual = try prompt.embeddings(mode, dtype: embedded.dtype)
        return try tokens.inserting(virtual, into: embedded)
    }
}
