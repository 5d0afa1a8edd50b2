import DualChat
import DualTokenization

extension Tokenizer {
    /// The tokens that begin and end a text, by the names that templates have for them.
    package var textEnds: [String: String] {
        var tokens: [String: String] = [:]
        tokens["bos_token"] = beginningOfTextID.flatMap { token(for: $0) }
        tokens["eos_token"] = endOfTextID.flatMap { token(for: $0) }
        return tokens
    }
}

extension ChatTemplate {
    /// The template with the tokens that begin and end a tokenizer's texts where no file of its folder
    /// names others: a tokenizer may know its own without `tokenizer_config.json`.
    package func completed(by tokenizer: Tokenizer) -> ChatTemplate {
        var template = self
        template.addSpecialTokens(tokenizer.textEnds)
        return template
    }
}
