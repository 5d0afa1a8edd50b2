/// What a tokenizer makes of one text or one pair of texts: arrays of one length.
public struct Encoding: Sendable {
    /// The vocabulary indices a model takes.
    public private(set) var ids: [Int] = []
    /// 0 for the first text and its special tokens, 1 for the second, as the template says.
    public private(set) var typeIDs: [Int] = []
    private var spellings: [Int: String] = [:]
    private let vocabulary: TokenSpellings

    init(_ typedPieces: [TypedPieces], vocabulary: TokenSpellings) {
        self.vocabulary = vocabulary
        for typed in typedPieces {
            for (position, spelling) in typed.pieces.spellings {
                spellings[ids.count + position] = spelling
            }
            ids.append(contentsOf: typed.pieces.ids)
            typeIDs.append(contentsOf: repeatElement(typed.typeID, count: typed.pieces.count))
        }
    }

    /// The spelling of each id, as `tokenizers` reports it: an added token keeps the white space
    /// that it swallowed. They are looked up anew at every call.
    public var tokens: [String] {
        ids.enumerated().map { spellings[$0] ?? vocabulary.spelling(of: $1) ?? "" }
    }
}

extension Encoding: Equatable {
    public static func == (left: Encoding, right: Encoding) -> Bool {
        left.ids == right.ids && left.typeIDs == right.typeIDs && left.tokens == right.tokens
    }
}
