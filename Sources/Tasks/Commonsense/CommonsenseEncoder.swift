import DualDatasets
import DualTokenization
import DualTraining

/// Writes examples of commonsense reasoning in tokens as their protocol does.
struct CommonsenseEncoder {
    let preset: CommonsenseProtocol
    let tokenizer: Tokenizer
    /// Tokens that end what the model generates.
    let stopTokens: [Int]
    /// Tokens that a text to train on is cut to under LLM-Adapters, a prompt under HiRA.
    private let limit: Int

    init(_ preset: CommonsenseProtocol, with encoder: TaskEncoder) {
        self.preset = preset
        tokenizer = encoder.tokenizer
        stopTokens = encoder.stopTokens
        limit = encoder.maximumLength
    }

    /// Tokens that HiRA cuts a response to, and generates at most.
    static let responseLimit = 16

    func trainingExample(_ example: CommonsenseExample) throws -> CompletionExample {
        preset == .llmAdapters ? try wholeText(example) : try response(example)
    }

    /// Prompt and response as one text, cut at its end, every token of which is learnt; a token that
    /// ends it comes behind where there is room. Reference: `tokenize` of LLM-Adapters' `finetune.py`.
    private func wholeText(_ example: CommonsenseExample) throws -> CompletionExample {
        let text =
            preset.trainingPrompt(example.instruction) + preset.trainingResponse(example.output)
        var (ids, uncut) = try cut(text, to: limit, addingSpecialTokens: true)
        if let end = tokenizer.endOfTextID, ids.last != end, ids.count < limit { ids.append(end) }
        uncut = max(uncut, ids.count)
        return CompletionExample(ids: ids, isTrained: ids.map { _ in true }, uncutLength: uncut)
    }

    /// Prompt and response, each cut at its end, without tokens that begin or end a text; the response
    /// is learnt. Reference: `format_causal_input` of HiRA's `format_inputs.py`, whose tokenizers cut
    /// at the end though one of them pads on the left.
    private func response(_ example: CommonsenseExample) throws -> CompletionExample {
        let (prompt, whole) = try cut(preset.trainingPrompt(example.instruction), to: limit)
        let (response, full) = try cut(
            preset.trainingResponse(example.output), to: Self.responseLimit)
        return CompletionExample(
            ids: prompt + response,
            isTrained: prompt.map { _ in false } + response.map { _ in true },
            uncutLength: whole + full)
    }

    /// The tokens of a text, cut at its end, and how many it has.
    private func cut(
        _ text: String, to limit: Int, addingSpecialTokens: Bool = false
    ) throws -> (ids: [Int], uncut: Int) {
        let ids = try tokenizer.encode(text, addingSpecialTokens: addingSpecialTokens).ids
        guard ids.count > limit else { return (ids, ids.count) }
        let shorter = try tokenizer.encode(
            text, addingSpecialTokens: addingSpecialTokens, maximumLength: limit)
        return (shorter.ids, ids.count)
    }

    /// What a model reads in a test. LLM-Adapters' is not cut; HiRA's begins with the spelling of the
    /// token that begins a text.
    func testPrompt(_ example: CommonsenseExample) throws -> [Int] {
        let prompt = preset.testPrompt(example.instruction)
        if preset == .llmAdapters { return try tokenizer.encode(prompt).ids }
        let beginning = tokenizer.beginningOfTextID.flatMap(tokenizer.token) ?? ""
        return try tokenizer.encode(
            beginning + prompt, addingSpecialTokens: false, maximumLength: limit
        ).ids
    }

    /// The tokens of an answer, as the response to a prompt.
    func answer(_ label: String) throws -> [Int] {
        try tokenizer.encode(CommonsenseExample.phrase(label), addingSpecialTokens: false).ids
    }

    /// What a model responded.
    func response(prompt: [Int], new: [Int]) -> String {
        if preset == .llmAdapters {
            let whole = tokenizer.decode(prompt + new, skippingSpecialTokens: true)
            return CommonsenseProtocol.response(behindHeadingIn: whole)
        }
        return CommonsenseProtocol.response(
            beforeEndIn: tokenizer.decode(new), padding: padding,
            end: tokenizer.endOfTextID.flatMap(tokenizer.token))
    }

    /// HiRA pads with the token that begins a text where the tokenizer has none of its own.
    private var padding: String? {
        let id =
            tokenizer.isSpecial(tokenizer.paddingID)
            ? tokenizer.paddingID : tokenizer.beginningOfTextID
        return id.flatMap(tokenizer.token)
    }
}
