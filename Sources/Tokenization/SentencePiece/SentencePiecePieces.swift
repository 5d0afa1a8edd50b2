/// What a model of `sentencepiece` has of each piece, for those who write it in another format.
package struct SentencePiecePieces {
    package struct Piece: Sendable {
        package let token: String
        package let score: Float
        package let kind: SentencePieceModelData.Kind
    }

    package let pieces: [Piece]
    package let addsDummyPrefix: Bool
    package let removesExtraWhitespace: Bool
    /// Whether pieces are merged by their scores, and a text is not rewritten by rules of characters.
    package let mergesPlainText: Bool

    /// - Throws: `TokenizerError`, naming the file and the byte or the field at fault.
    package init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        let model = try SentencePieceFile(bytes, file: file)
        pieces = model.pieces.map { piece in
            Piece(
                token: piece.token, score: piece.score,
                kind: SentencePieceModelData.Kind(rawValue: piece.kind.rawValue) ?? .normal)
        }
        addsDummyPrefix = model.normalization.addsDummyPrefix
        removesExtraWhitespace = model.normalization.removesExtraWhitespace
        mergesPlainText =
            model.training.algorithm == .bpe && model.normalization.characterMap.isEmpty
            && !model.training.treatsWhitespaceAsSuffix
    }
}
