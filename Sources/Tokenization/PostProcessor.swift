/// The last stage: joins one or two tokenized texts and puts special tokens around them.
protocol PostProcessor: Sendable {
    /// How many special tokens come on top of the text's own.
    func specialTokenCount(forPair isPair: Bool) -> Int

    func join(_ first: [Piece], _ second: [Piece]?, addingSpecialTokens: Bool) -> Encoding
}

/// Joins without special tokens, as `tokenizers` does when it has no post-processor.
struct PlainPostProcessor: PostProcessor {
    func specialTokenCount(forPair isPair: Bool) -> Int { 0 }

    func join(_ first: [Piece], _ second: [Piece]?, addingSpecialTokens: Bool) -> Encoding {
        var encoding = Encoding()
        encoding.append(first, typeID: 0)
        encoding.append(second ?? [], typeID: 1)
        return encoding
    }
}

/// `TemplateProcessing` of `tokenizers`: a single text and a pair each follow a list of parts.
/// `BertProcessing` is the template `[CLS] A [SEP] B:1 [SEP]:1`.
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

    /// BERT's template.
    init(classification: Piece, separator: Piece) {
        single = [
            .special([classification], typeID: 0), .first(typeID: 0),
            .special([separator], typeID: 0),
        ]
        pair = single + [.second(typeID: 1), .special([separator], typeID: 1)]
    }

    func specialTokenCount(forPair isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { count, part in
            if case .special(let tokens, _) = part { count + tokens.count } else { count }
        }
    }

    func join(_ first: [Piece], _ second: [Piece]?, addingSpecialTokens: Bool) -> Encoding {
        var encoding = Encoding()
        for part in second == nil ? single : pair {
            switch part {
            case .first(let typeID): encoding.append(first, typeID: typeID)
            case .second(let typeID): encoding.append(second ?? [], typeID: typeID)
            case .special(let tokens, let typeID):
                if addingSpecialTokens { encoding.append(tokens, typeID: typeID) }
            }
        }
        return encoding
    }
}
