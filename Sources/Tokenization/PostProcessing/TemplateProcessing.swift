/// `TemplateProcessing` of `tokenizers`: a single text and a pair each follow a list of parts.
/// `BertProcessing` and `RobertaProcessing` are templates too.
struct TemplateProcessing: PostProcessor {
    enum Part: Equatable, Sendable {
        case first(typeID: Int)
        case second(typeID: Int)
        case special([Piece], typeID: Int)
    }

    let single: [Part]
    let pair: [Part]

    init(single: [Part], pair: [Part]) {
        self.single = single
        self.pair = pair
    }

    /// BERT's template: `[CLS] A [SEP] B:1 [SEP]:1`.
    init(classification: Piece, separator: Piece) {
        single = [
            .special([classification], typeID: 0), .first(typeID: 0),
            .special([separator], typeID: 0),
        ]
        pair = single + [.second(typeID: 1), .special([separator], typeID: 1)]
    }

    /// RoBERTa's template: `<s> A </s> </s> B </s>`, all of one type.
    init(robertaClassification classification: Piece, separator: Piece) {
        single = [
            .special([classification], typeID: 0), .first(typeID: 0),
            .special([separator], typeID: 0),
        ]
        pair =
            single + [
                .special([separator], typeID: 0), .second(typeID: 0),
                .special([separator], typeID: 0),
            ]
    }

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
