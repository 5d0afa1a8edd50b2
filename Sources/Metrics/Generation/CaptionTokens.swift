/// Texts as METEOR, ROUGE-L and CIDEr see them: the treebank's tokens in lower case, joined by
/// spaces, without punctuation.
///
/// Brackets stay, as "-lrb-" and "-rrb-": the reference looks for them in capitals, after the
/// tokenizer has made them small.
///
/// Reference: coco-caption's `pycocoevalcap/tokenizer/ptbtokenizer.py`, which the E2E challenge uses.
struct CaptionTokens {
    let hypotheses: [String]
    let references: [[String]]

    init(_ segments: [GenerationSegment]) {
        hypotheses = Self.captions(segments.map(\.hypothesis))
        let all = Self.captions(segments.flatMap(\.references))
        var next = 0
        references = segments.map { segment in
            defer { next += segment.references.count }
            return Array(all[next..<next + segment.references.count])
        }
    }

    private static let punctuation: Set<String> = [
        "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";",
    ]

    static func captions(_ texts: [String]) -> [String] {
        PennTokenizer.tokens(texts).map { tokens in
            tokens.filter { !punctuation.contains($0) }.joined(separator: " ")
        }
    }
}
