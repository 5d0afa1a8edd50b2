import Foundation
import Testing

@testable import DualTokenization

/// Writes the fields of a Protocol Buffers message.
struct MessageWriter {
    var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func integer(_ field: Int, _ value: Int) {
        varint(UInt64(field << 3))
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func float(_ field: Int, _ value: Float) {
        varint(UInt64(field << 3 | 5))
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func data(_ field: Int, _ value: some Collection<UInt8>) {
        varint(UInt64(field << 3 | 2))
        varint(UInt64(value.count))
        bytes += value
    }

    mutating func message(_ field: Int, _ body: (inout MessageWriter) -> Void) {
        var inner = MessageWriter()
        body(&inner)
        data(field, inner.bytes)
    }
}

/// A SentencePiece model of pieces with scores and types.
func sentencePieceModel(
    _ pieces: [(String, Float, SentencePieceFile.Piece.Kind)],
    algorithm: SentencePieceFile.Algorithm = .unigram, fallsBackToBytes: Bool = false,
    addsDummyPrefix: Bool = true, removesExtraWhitespace: Bool = true, characterMap: [UInt8] = []
) -> [UInt8] {
    var model = MessageWriter()
    for (token, score, kind) in pieces {
        model.message(1) { piece in
            piece.data(1, token.utf8)
            piece.float(2, score)
            if kind != .normal { piece.integer(3, kind.rawValue) }
        }
    }
    model.message(2) { training in
        training.integer(3, algorithm.rawValue)
        training.integer(35, fallsBackToBytes ? 1 : 0)
        training.integer(4711, 1)
    }
    model.message(3) { normalization in
        normalization.data(2, characterMap)
        normalization.integer(3, addsDummyPrefix ? 1 : 0)
        normalization.integer(4, removesExtraWhitespace ? 1 : 0)
    }
    return model.bytes
}

/// Numbers that are the same in every run.
struct SplitMix {
    var state: UInt64

    mutating func next(below limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ value >> 31) % UInt64(limit))
    }
}

let unknownPiece: (String, Float, SentencePieceFile.Piece.Kind) = ("<unk>", 0, .unknown)

@Suite struct SentencePieceTests {
    private func tokenizer(_ model: [UInt8], config: String = "{}") throws -> Tokenizer {
        try withFolder([
            "tokenizer.model": Data(model), "tokenizer_config.json": Data(config.utf8),
        ]) { try Tokenizer.load(from: $0) }
    }

    private func tokens(_ text: String, _ model: [UInt8]) throws -> [String] {
        try tokenizer(model).encode(text, addingSpecialTokens: false).tokens
    }

    private func message(_ model: [UInt8]) -> String {
        do {
            _ = try tokenizer(model)
            return "loaded"
        } catch {
            return "\(error)".replacing(#/\S*/tokenizer/#, with: "tokenizer")
        }
    }

    @Test("The unigram's best path is the one worked out by hand")
    func bestPath() throws {
        // ab|c = -3, a|bc = -2.5, a|b|c = -4.5, abc = -2.75: the second wins.
        let model = sentencePieceModel(
            [
                unknownPiece, ("a", -1, .normal), ("b", -2, .normal), ("c", -1.5, .normal),
                ("ab", -1.5, .normal), ("bc", -1.5, .normal), ("abc", -2.75, .normal),
            ], addsDummyPrefix: false)
        #expect(try tokens("abc", model) == ["a", "bc"])
        // An unknown scalar costs 10 more than the worst piece, and neighbours become one token.
        #expect(try tokens("abxyc", model) == ["ab", "xy", "c"])
    }

    @Test("Of equally good paths the one found first stays")
    func ties() throws {
        let model = sentencePieceModel(
            [
                unknownPiece, ("a", -1, .normal), ("aa", -2, .normal), ("aaa", -3, .normal),
            ], addsDummyPrefix: false)
        #expect(try tokens("aaa", model) == ["aaa"])
        #expect(try tokens("aaaa", model) == ["a", "aaa"])
    }

    @Test("Byte pairs merge by score, the leftmost of equals first, and around symbols")
    func merges() throws {
        let pieces: [(String, Float, SentencePieceFile.Piece.Kind)] = [
            unknownPiece, ("a", -9, .normal), ("b", -9, .normal), ("aa", -2, .normal),
            ("ab", -1, .normal), ("aab", -3, .normal), ("baa", 0, .userDefined),
        ]
        let model = sentencePieceModel(pieces, algorithm: .bpe, addsDummyPrefix: false)
        #expect(try tokens("aaa", model) == ["aa", "a"])
        #expect(try tokens("aab", model) == ["aab"])
        #expect(try tokens("abaab", model) == ["a", "baa", "b"])
    }

    @Test("An unused piece is taken apart again")
    func unusedPieces() throws {
        let model = sentencePieceModel(
            [
                unknownPiece, ("a", -9, .normal), ("b", -9, .normal), ("ab", -1, .unused),
                ("aba", -2, .unused), ("c", -3, .unused),
            ], algorithm: .bpe, addsDummyPrefix: false)
        #expect(try tokens("abac", model) == ["a", "b", "a", "c"])
        #expect(try tokenizer(model).encode("c", addingSpecialTokens: false).ids == [0])
    }

    @Test("Extra white space goes, or stays, as the model says")
    func whiteSpace() throws {
        let pieces: [(String, Float, SentencePieceFile.Piece.Kind)] = [
            unknownPiece, ("▁", -1, .normal), ("a", -1, .normal),
        ]
        #expect(try tokens("  a  a ", sentencePieceModel(pieces)) == ["▁", "a", "▁", "a"])
        #expect(
            try tokens(" a ", sentencePieceModel(pieces, removesExtraWhitespace: false))
                == ["▁", "▁", "a", "▁"])
        #expect(try tokens("   ", sentencePieceModel(pieces)).isEmpty)
    }

    private let bytes = (0...255).map {
        (SentencePieceByte.token(of: $0), Float(0), SentencePieceFile.Piece.Kind.byte)
    }

    @Test("A stream gives whole characters, and drops the first space once")
    func streaming() throws {
        let model = sentencePieceModel(
            [unknownPiece] + bytes + [("▁", -1, .normal), ("a", -1, .normal)],
            algorithm: .bpe, fallsBackToBytes: true, removesExtraWhitespace: false)
        let tokenizer = try tokenizer(model)
        let ids = try tokenizer.encode(" a😀", addingSpecialTokens: false).ids
        #expect(ids == [257, 257, 258, 0xF0 + 1, 0x9F + 1, 0x98 + 1, 0x80 + 1])
        var stream = tokenizer.makeStreamingDecoder()
        let parts = ids.map { stream.append($0) } + [stream.finish()]
        #expect(parts == ["", " ", "a", "", "", "", "😀", ""])
        // F0 9F can become a character, and no longer once an "a" follows.
        stream = tokenizer.makeStreamingDecoder()
        #expect([0xF1, 0xA0, 258].map { stream.append($0) } == ["", "", "\u{FFFD}\u{FFFD}a"])
    }

    @Test("Files that are damaged are refused with the byte")
    func damagedFiles() {
        let good = sentencePieceModel([unknownPiece, ("a", -1, .normal)])
        #expect(
            message([0x0A, 0x7F, 0x01])
                == "tokenizer.model is damaged at byte 1: "
                + "a field of 127 bytes does not fit into the 1 left.")
        #expect(
            message(Array(good.dropLast())).hasPrefix("tokenizer.model is damaged at byte "))
        #expect(message([0x00]) == "tokenizer.model is damaged at byte 0: 0 is no field number.")
        #expect(
            message([0x0B]) == "tokenizer.model is damaged at byte 0: 3 is no wire type in use.")
        #expect(
            message(Array(repeating: 0xFF, count: 11))
                == "tokenizer.model is damaged at byte 0: a number has more than 64 bits.")
        #expect(
            message([0x0A, 0x03, 0x0A, 0x01, 0xFF])
                == "tokenizer.model is damaged at byte 4: a text is not valid UTF-8.")
        #expect(
            message([0x08, 0x01]) == "tokenizer.model is damaged at byte 0: field 1 is not bytes.")
    }

    @Test("A model with changed or missing bytes is read or refused, and never trapped on")
    func changedBytes() {
        let map = CharacterMapBuilder.bytes(["a": "b", "é": "e"])
        let good = sentencePieceModel(
            [unknownPiece, ("▁", -1, .normal), ("b", -1, .normal), ("<c>", 0, .control)],
            characterMap: map)
        var dice = SplitMix(state: 5)
        for round in 0..<150 {
            var model = good
            for _ in 0..<dice.next(below: 4) + 1 {
                let end = round.isMultiple(of: 2) ? 90 : model.count
                model[dice.next(below: end)] = UInt8(dice.next(below: 256))
            }
            if round.isMultiple(of: 5) { model.removeLast(dice.next(below: model.count)) }
            do {
                let tokenizer = try tokenizer(model)
                let ids = try tokenizer.encode("aé b<c>").ids
                _ = tokenizer.decode(ids)
            } catch {
                #expect(error is TokenizerError)
            }
        }
    }

    @Test("Models that contradict themselves are refused")
    func contradictions() {
        #expect(message([]) == "tokenizer.model: the vocabulary has no token.")
        #expect(
            message(sentencePieceModel([("a", 0, .normal)]))
                == "tokenizer.model: 'pieces' is not usable: "
                + "0 are unknown pieces, but one must be.")
        #expect(
            message(sentencePieceModel([unknownPiece, ("a", 0, .normal), ("a", 0, .normal)]))
                == "tokenizer.model: 'pieces[1]' is not usable: 'a' stands there twice.")
        #expect(
            message(sentencePieceModel([unknownPiece], fallsBackToBytes: true))
                == "tokenizer.model: 'trainer_spec.byte_fallback' is not usable: "
                + "it asks for 256 byte pieces, and there are 0.")
        #expect(
            message(sentencePieceModel([unknownPiece], algorithm: .word))
                == "tokenizer.model: 'trainer_spec.model_type' is 'WORD', which is not supported; "
                + "supported: UNIGRAM, BPE.")
    }
}
