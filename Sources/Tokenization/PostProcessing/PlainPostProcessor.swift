/// Joins without special tokens, as `tokenizers` does when it has no post-processor.
///
/// Its `ByteLevel` is the same: that one trims the offsets of tokens, which are not kept here.
struct PlainPostProcessor: PostProcessor {
    func specialTokenCount(forPair isPair: Bool) -> Int { 0 }

    func join(_ first: Pieces, _ second: Pieces?, addingSpecialTokens: Bool) -> [TypedPieces] {
        var parts = [TypedPieces(pieces: first, typeID: 0)]
        if let second { parts.append(TypedPieces(pieces: second, typeID: 1)) }
        return parts
    }
}
