/// What Google's `sentencepiece` stores of a model: the message `ModelProto` of
/// `sentencepiece_model.proto`, in a file named `tokenizer.model`, `spiece.model` or `spm.model`.
///
/// What only training needs is passed over.
struct SentencePieceFile: Equatable, Sendable {
    struct Piece: Equatable, Sendable {
        /// The enumeration `ModelProto.SentencePiece.Type`.
        enum Kind: Int, Sendable {
            case normal = 1
            case unknown, control, userDefined, unused, byte
        }

        var token = ""
        var score: Float = 0
        var kind = Kind.normal
    }

    /// The enumeration `TrainerSpec.ModelType`.
    enum Algorithm: Int, Sendable {
        case unigram = 1
        case bpe, word, char

        var name: String { "\(self)".uppercased() }
    }

    struct Training: Equatable, Sendable {
        var algorithm = Algorithm.unigram
        var treatsWhitespaceAsSuffix = false
        var fallsBackToBytes = false
        var beginningToken = "<s>"
        var endToken = "</s>"
        var paddingToken = "<pad>"
        /// What an unknown piece is decoded to.
        var unknownSurface = " \u{2047} "
    }

    struct Normalization: Equatable, Sendable {
        /// Empty when text stays as it is.
        var characterMap: [UInt8] = []
        var addsDummyPrefix = true
        var removesExtraWhitespace = true
        var escapesWhitespace = true
    }

    var pieces: [Piece] = []
    var training = Training()
    var normalization = Normalization()
    var denormalization: Normalization?

    /// - Throws: `TokenizerError`, naming the file and the byte or the field at fault.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        var reader = ProtocolBufferReader(bytes, file: file)
        while let field = try reader.next() {
            switch field.number {
            case 1: pieces.append(try Self.piece(reader, field))
            case 2: try training.read(reader, field)
            case 3: try normalization.read(reader, field)
            case 5:
                var read = denormalization ?? Normalization()
                try read.read(reader, field)
                denormalization = read
            default: break
            }
        }
        try check(file)
    }

    private static func piece(
        _ outer: ProtocolBufferReader, _ field: ProtocolBufferReader.Field
    ) throws(TokenizerError) -> Piece {
        var piece = Piece()
        let range = try outer.range(field)
        var reader = ProtocolBufferReader(outer.bytes, range: range, file: outer.file)
        while let field = try reader.next() {
            switch field.number {
            case 1: piece.token = try reader.text(field)
            case 2: piece.score = try reader.float(field)
            case 3:
                let number = try reader.integer(field)
                guard let kind = Piece.Kind(rawValue: number) else {
                    throw reader.damage(field.start, "\(number) is no type of piece")
                }
                piece.kind = kind
            default: break
            }
        }
        guard !piece.token.isEmpty, !piece.token.utf8.contains(0), !piece.score.isNaN else {
            throw reader.damage(
                range.lowerBound, "a piece is empty, has a NUL in it, or no number for its score")
        }
        return piece
    }

    private func check(_ file: String) throws(TokenizerError) {
        guard !pieces.isEmpty else { throw .emptyVocabulary(file: file, field: "") }
        guard training.algorithm == .unigram || training.algorithm == .bpe else {
            throw .unsupportedType(
                file: file, field: "trainer_spec.model_type", found: training.algorithm.name,
                supported: [Algorithm.unigram.name, Algorithm.bpe.name])
        }
        let unknown = pieces.filter { $0.kind == .unknown }.count
        guard unknown == 1 else {
            throw .unusableValue(
                file: file, field: "pieces",
                reason: "\(unknown) are unknown pieces, but one must be")
        }
        try checkBytes(file)
    }

    /// There are either all 256 byte pieces or none, as `byte_fallback` says.
    private func checkBytes(_ file: String) throws(TokenizerError) {
        let bytes = pieces.filter { $0.kind == .byte }
        for piece in bytes where SentencePieceByte.value(of: piece.token) == nil {
            throw .invalidValue(
                file: file, field: "pieces", found: "the byte '\(piece.token)'",
                expected: "a byte spelled like <0x0A>")
        }
        let wanted = training.fallsBackToBytes ? 256 : 0
        let count = Set(bytes.compactMap { SentencePieceByte.value(of: $0.token) }).count
        guard count == wanted else {
            throw .unusableValue(
                file: file, field: "trainer_spec.byte_fallback",
                reason: "it asks for \(wanted) byte pieces, and there are \(count)")
        }
    }
}

extension SentencePieceFile.Training {
    fileprivate mutating func read(
        _ outer: ProtocolBufferReader, _ field: ProtocolBufferReader.Field
    ) throws(TokenizerError) {
        var reader = ProtocolBufferReader(
            outer.bytes, range: try outer.range(field), file: outer.file)
        while let field = try reader.next() {
            switch field.number {
            case 3:
                let number = try reader.integer(field)
                guard let read = SentencePieceFile.Algorithm(rawValue: number) else {
                    throw reader.damage(field.start, "\(number) is no type of model")
                }
                algorithm = read
            case 24: treatsWhitespaceAsSuffix = try reader.flag(field)
            case 35: fallsBackToBytes = try reader.flag(field)
            case 44: unknownSurface = try reader.text(field)
            case 46: beginningToken = try reader.text(field)
            case 47: endToken = try reader.text(field)
            case 48: paddingToken = try reader.text(field)
            default: break
            }
        }
    }
}

extension SentencePieceFile.Normalization {
    fileprivate mutating func read(
        _ outer: ProtocolBufferReader, _ field: ProtocolBufferReader.Field
    ) throws(TokenizerError) {
        var reader = ProtocolBufferReader(
            outer.bytes, range: try outer.range(field), file: outer.file)
        while let field = try reader.next() {
            switch field.number {
            case 2: characterMap = Array(reader.bytes[try reader.range(field)])
            case 3: addsDummyPrefix = try reader.flag(field)
            case 4: removesExtraWhitespace = try reader.flag(field)
            case 5: escapesWhitespace = try reader.flag(field)
            default: break
            }
        }
    }
}
