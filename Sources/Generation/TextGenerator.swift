import DualModels
import DualTokenization

/// Continues texts with a model: greedily, by drawing, or by beam search.
///
/// ```swift
/// let generator = TextGenerator(model: model, tokenizer: tokenizer)
/// var options = try GenerationOptions(folder: folder, tokenizer: tokenizer)
/// options.maximumNewTokens = 64
/// for generation in try generator.generate(prompts: ["Once upon a time"], options) {
///     print(generation.text ?? "")
/// }
/// ```
/// The numbers are those of transformers' `generate`: greedy and beam search choose the same tokens.
/// Draws come from a generator of this package, so that one seed gives other texts than PyTorch's.
public final class TextGenerator {
    /// The model that gives the next token's scores.
    public let model: any CausalModel
    /// What turns prompts into ids and ids into text; nil where only ids are generated from.
    public let tokenizer: Tokenizer?

    /// - Parameter tokenizer: nil to work with token ids alone.
    public init(model: any CausalModel, tokenizer: Tokenizer? = nil) {
        self.model = model
        self.tokenizer = tokenizer
    }

    /// Continues prompts, in batches of `options.batchSize`.
    ///
    /// - Parameter isCancelled: asked before each token; when it says yes, what there is of the
    ///   batch is returned as cancelled, and further batches are not begun. Cancelling the task does
    ///   the same.
    /// - Returns: the continuations of the prompts in their order, `options.returnedSequences` of
    ///   each.
    /// - Throws: ``GenerationError``, ``ModelError``.
    public func generate(
        prompts: [String], _ options: GenerationOptions, isCancelled: () -> Bool = { false }
    ) throws -> [Generation] {
        try generate(ids: encode(prompts), options, isCancelled: isCancelled)
    }

    /// Continues prompts that are given as token ids.
    public func generate(
        ids prompts: [[Int]], _ options: GenerationOptions, isCancelled: () -> Bool = { false }
    ) throws -> [Generation] {
        try generate(ids: prompts, options, clock: GenerationClock(), isCancelled: isCancelled)
    }

    /// As ``generate(ids:_:isCancelled:)``, measuring the time that it takes.
    public func generate(
        ids prompts: [[Int]], _ options: GenerationOptions, clock: GenerationClock,
        isCancelled: () -> Bool = { false }
    ) throws -> [Generation] {
        try check(prompts, options)
        var generations: [Generation] = []
        for first in stride(from: 0, to: prompts.count, by: options.batchSize) {
            if isCancelled() || Task.isCancelled { break }
            let batch = Array(prompts[first..<min(first + options.batchSize, prompts.count)])
            let limit = try limit(of: batch, options)
            generations +=
                options.beams > 1
                ? try beams(batch, first, options, limit, clock, isCancelled)
                : try rows(batch, first, options, limit, clock, isCancelled)
        }
        return generations
    }

    /// Continues one prompt and hands its text out as it is made. Beam search cannot: its text is
    /// not known before its end.
    /// - Throws: ``GenerationError``, ``ModelError``.
    public func stream(prompt: String, _ options: GenerationOptions) throws -> TextStream {
        try stream(ids: encode([prompt])[0], options)
    }

    /// The same for a prompt of token ids.
    public func stream(ids: [Int], _ options: GenerationOptions) throws -> TextStream {
        try check([ids], options)
        guard tokenizer != nil else { throw GenerationError.noTokenizer }
        for (name, value) in [("beams", options.beams), ("return", options.returnedSequences)] {
            guard value == 1 else {
                throw GenerationError.badOption(
                    name: name, reason: "\(value) continuations cannot be streamed, only 1")
            }
        }
        let limit = try limit(of: [ids], options)
        return TextStream(
            model: model, ids: ids, tokenizer: tokenizer, options: options, limit: limit)
    }

    /// Continues one prompt, calling `onPiece` with each piece of its text as it is made.
    @discardableResult
    public func generate(
        prompt: String, _ options: GenerationOptions, onPiece: (String) throws -> Void
    ) throws -> Generation? {
        var pieces = try stream(prompt: prompt, options).makeAsyncIterator()
        while let piece = try pieces.nextPiece() { try onPiece(piece) }
        return pieces.generation
    }

    /// The ids of texts, with the special tokens that the tokenizer puts around them.
    public func encode(_ prompts: [String]) throws -> [[Int]] {
        guard let tokenizer else { throw GenerationError.noTokenizer }
        return try prompts.map { try tokenizer.encode($0).ids }
    }

    private func check(_ prompts: [[Int]], _ options: GenerationOptions) throws {
        try options.check()
        guard !prompts.isEmpty else { throw GenerationError.noPrompts }
        guard options.stopStrings.isEmpty || tokenizer != nil else {
            throw GenerationError.noTokenizer
        }
        for (index, ids) in prompts.enumerated() {
            guard !ids.isEmpty else { throw GenerationError.emptyPrompt(number: index + 1) }
            try model.check(ids: ids)
        }
        guard options.beams == 1 || BeamItem.candidates(options) <= model.vocabularySize else {
            throw GenerationError.badOption(
                name: "beams",
                reason: "\(options.beams) are too many for a vocabulary of \(model.vocabularySize)")
        }
    }

    /// The most new tokens after the longest of some prompts.
    private func limit(of prompts: [[Int]], _ options: GenerationOptions) throws -> Int {
        let length = prompts.map(\.count).max() ?? 0
        // The last new token is not read, and needs no position.
        let room = model.maximumLength.map { $0 - length + 1 } ?? .max
        if let wanted = options.maximumNewTokens {
            guard wanted <= room else {
                throw GenerationError.badOption(
                    name: "max-tokens",
                    reason: "\(wanted) behind a prompt of \(length) tokens is more than the "
                        + "\(model.maximumLength ?? 0) positions of the model")
            }
            return wanted
        }
        let new = try options.roomInMaximumLength(behind: length, of: "a prompt")
        return min(new ?? GenerationOptions.defaultNewTokens, room)
    }

    private func rows(
        _ prompts: [[Int]], _ first: Int, _ options: GenerationOptions, _ limit: Int,
        _ clock: GenerationClock, _ isCancelled: () -> Bool
    ) throws -> [Generation] {
        let search = try clock.reading(prompts) {
            try TokenSearch(
                model, prompts: prompts, first: first, tokenizer: tokenizer, options: options,
                limit: limit)
        }
        return try clock.decoding {
            while !search.isFinished {
                if isCancelled() || Task.isCancelled { search.cancel() } else { try search.step() }
            }
            return search.generations
        }
    }

    private func beams(
        _ prompts: [[Int]], _ first: Int, _ options: GenerationOptions, _ limit: Int,
        _ clock: GenerationClock, _ isCancelled: () -> Bool
    ) throws -> [Generation] {
        let search = try clock.reading(prompts) {
            try BeamSearch(
                model, prompts: prompts, first: first, tokenizer: tokenizer, options: options,
                limit: limit)
        }
        return try clock.decoding {
            var cancelled = false
            while !search.isFinished && !cancelled {
                cancelled = isCancelled() || Task.isCancelled
                if !cancelled { try search.step() }
            }
            return search.generations(cancelled: cancelled, tokenizer: tokenizer)
        }
    }
}
