/// The last stage: joins one or two tokenized texts and puts special tokens around them.
protocol PostProcessor: Sendable {
    /// How many special tokens come on top of the text's own.
    func specialTokenCount(forPair isPair: Bool) -> Int

    func join(_ first: Pieces, _ second: Pieces?, addingSpecialTokens: Bool) -> [TypedPieces]
}
