/// The pieces of a SentencePiece model, sorted by what each is for.
struct SentencePieceInventory: Sendable {
    let vocabulary: Vocabulary
    let kinds: [SentencePieceFile.Piece.Kind]
    let scores: [Float]
    let unknownID: Int
    /// The ids of the pieces `<0x00>` to `<0xFF>`, if the model falls back to bytes.
    let byteIDs: [Int]?
    /// The pieces that text is made of, with their ids as values: normal, user-defined and unused
    /// ones. Control pieces are not found in text.
    private(set) var text = ScalarTrie()
    /// The pieces that are taken out of a text before all else; nil when there are none.
    private(set) var userDefined: ScalarTrie?

    /// - Throws: `TokenizerError` when two pieces have one spelling.
    init(_ model: SentencePieceFile, file: String) throws(TokenizerError) {
        var tokens = TokenList()
        for piece in model.pieces { tokens.append(piece.token.utf8) }
        vocabulary = try Vocabulary(tokens, file: file)
        for (id, piece) in model.pieces.enumerated() where vocabulary.id(for: piece.token) != id {
            throw .unusableValue(
                file: file, field: "pieces[\(id)]", reason: "'\(piece.token)' stands there twice")
        }
        kinds = model.pieces.map(\.kind)
        scores = model.pieces.map(\.score)
        unknownID = kinds.firstIndex(of: .unknown) ?? 0
        let vocabulary = vocabulary
        byteIDs =
            model.training.fallsBackToBytes
            ? (0...255).compactMap { vocabulary.id(for: SentencePieceByte.token(of: $0)) } : nil
        var text = ScalarTrie(expectedNodes: 2 * model.pieces.count)
        var userDefined: ScalarTrie?
        forEachTextPiece { token, id in
            text.insert(token.unicodeScalars, value: id)
            guard kinds[id] == .userDefined else { return }
            if userDefined == nil { userDefined = ScalarTrie() }
            userDefined?.insert(token.unicodeScalars, value: id)
        }
        (self.text, self.userDefined) = (text, userDefined)
    }

    /// The id of a piece that is a control piece.
    func controlID(of token: String) -> Int? {
        vocabulary.id(for: token).flatMap { kinds[$0] == .control ? $0 : nil }
    }

    /// The pieces that text is made of.
    func forEachTextPiece(_ body: (_ token: String, _ id: Int) -> Void) {
        for (id, kind) in kinds.enumerated() {
            switch kind {
            case .normal, .userDefined, .unused: vocabulary.token(for: id).map { body($0, id) }
            case .control, .unknown, .byte: continue
            }
        }
    }

    /// Appends what a text was cut into: `PopulateSentencePieceText` of `sentencepiece`. An unknown
    /// stretch becomes its bytes, or neighbouring ones become one unknown token.
    func append(
        _ cut: [TextPiece], of text: [Unicode.Scalar], to pieces: inout Pieces
    ) {
        var unknown: Range<Int>?
        for piece in cut {
            guard piece.id == unknownID else {
                append(unknown: &unknown, of: text, to: &pieces)
                pieces.append(piece.id)
                continue
            }
            if let byteIDs {
                for scalar in text[piece.range] {
                    for byte in UTF8Bytes(scalar) { pieces.append(byteIDs[Int(byte)]) }
                }
            } else {
                let start = unknown?.lowerBound ?? piece.range.lowerBound
                unknown = start..<piece.range.upperBound
            }
        }
        append(unknown: &unknown, of: text, to: &pieces)
    }

    private func append(
        unknown range: inout Range<Int>?, of text: [Unicode.Scalar], to pieces: inout Pieces
    ) {
        guard let unknown = range else { return }
        pieces.append(Piece(id: unknownID, token: String(scalars: text[unknown])))
        range = nil
    }
}
