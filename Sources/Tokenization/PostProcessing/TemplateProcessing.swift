/// The last stage: joins one or two tokenized texts and puts special tokens around them.
///
/// `TemplateProcessing` of `tokenizers`: a single text and a pair each follow a list of parts.
/// `BertProcessing` and `RobertaProcessing` are templates too, and so is `ByteLevel`, which trims
/// the offsets of tokens, for these are not kept here.
struct TemplateProcessing: Equatable, Sendable {
    enum Part: Equatable, Sendable {
        case first(typeID: Int)
        case second(typeID: Int)
        case special([Piece], typeID: Int)
    }

    let single: [Part]
    let pair: [Part]

    /// Without special tokens, as `tokenizers` joins when it has no post-processor.
    static let plain = TemplateProcessing(
        single: [.first(typeID: 0)], pair: [.first(typeID: 0), .second(typeID: 1)])

    /// How many special tokens come on top of the text's own.
    func specialTokenCount(forPair isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { count, part in
            if case .special(let tokens, _) = part { count + tokens.count } else { count }
        }
    }

    func join(_ first: Pieces, _ second: Pieces?, addingSpecialTokens: Bool) -> [TypedPieces] {
        (second == nil ? single : pair).compactMap { part in
            switch part {
            case .first(let typeID): return TypedPieces(pieces: first, typeID: typeID)
            case .second(let typeID):
                return second.map { TypedPieces(pieces: $0, typeID: typeID) }
            case .special(let tokens, let typeID):
                guard addingSpecialTokens else { return nil }
                var pieces = Pieces()
                for token in tokens { pieces.append(token) }
                return TypedPieces(pieces: pieces, typeID: typeID)
            }
        }
    }
}

extension TemplateProcessing {
    /// Special tokens before and behind each text; those of a second text are of type 1 as it is.
    init(before first: [Piece], beforeSecond second: [Piece], behind last: [Piece]) {
        let single: [Part] = [
            .special(first, typeID: 0), .first(typeID: 0), .special(last, typeID: 0),
        ]
        self.init(
            single: single,
            pair: single + [
                .special(second, typeID: 1), .second(typeID: 1), .special(last, typeID: 1),
            ])
    }

    /// BERT's template: `[CLS] A [SEP] B:1 [SEP]:1`.
    init(classification: Piece, separator: Piece) {
        self.init(before: [classification], beforeSecond: [], behind: [separator])
    }

    /// RoBERTa's template: `<s> A </s> </s> B </s>`, all of one type.
    init(robertaClassification classification: Piece, separator: Piece) {
        let end = Part.special([separator], typeID: 0)
        let single = [.special([classification], typeID: 0), .first(typeID: 0), end]
        self.init(single: single, pair: single + [end, .second(typeID: 0), end])
    }
}
