import Testing

@testable import DualTokenization

@Suite struct DecodingTests {
    /// Feeds tokens one by one and returns what comes out each time, the rest last.
    private func pieces(_ decoder: any TokenDecoder, _ tokens: [String]) -> [String] {
        var stream = decoder.makeStream()
        func text(_ step: (inout [TokenPart]) -> Void) -> String {
            var parts: [TokenPart] = []
            step(&parts)
            return parts.map(\.text).joined()
        }
        return tokens.map { token in
            text { stream.append(TokenPart(text: token, endsToken: true), to: &$0) }
        } + [text { stream.finish(&$0) }]
    }

    /// Bytes in the spelling of byte-level tokenizers.
    private func spelled(_ bytes: [UInt8]) -> String {
        String(scalars: bytes.map { ByteAlphabet.scalars[Int($0)] })
    }

    @Test("The byte alphabet has 256 different characters, letters standing for themselves")
    func alphabetIsComplete() {
        #expect(Set(ByteAlphabet.scalars).count == 256)
        #expect(ByteAlphabet.scalars[0x20] == "Ġ")
        #expect(ByteAlphabet.scalars[0x41] == "A")
        #expect(ByteAlphabet.bytes(of: spelled(Array(0...255))) == Array(0...255))
        #expect(ByteAlphabet.bytes(of: "a中") == Array("a中".utf8))
    }

    @Test("A character comes out when its last byte has come")
    func splitCharactersAreHeldBack() {
        let emoji = Array("👍".utf8).map { spelled([$0]) }
        #expect(pieces(ByteLevelDecoder(), emoji) == ["", "", "", "👍", ""])
        #expect(
            pieces(ByteLevelDecoder(), [spelled([0xE4, 0xB8]), spelled([0xAD, 0xC3]), "©"])
                == ["", "中", "é", ""])
    }

    @Test("Bytes that cannot become a character are replaced as soon as that is certain")
    func invalidBytesAreReplaced() {
        #expect(pieces(ByteLevelDecoder(), [spelled([0xFF]), "a"]) == ["\u{FFFD}", "a", ""])
        #expect(
            pieces(ByteLevelDecoder(), [spelled([0xE4]), "a"]) == ["", "\u{FFFD}a", ""])
        #expect(pieces(ByteLevelDecoder(), [spelled([0xF0, 0x9F])]) == ["", "\u{FFFD}"])
        #expect(
            pieces(ByteLevelDecoder(), [spelled([0xED]), spelled([0xA0])]).joined()
                == "\u{FFFD}\u{FFFD}")
    }

    @Test("Every way to cut bytes streams to the same text, and no piece ends in half a character")
    func allCutsAgree() {
        let bytes = Array("aé中👍🏽\u{10FFFF}".utf8) + [0xF0, 0x9F, 0x91, 0x41, 0xC3, 0xE2, 0x82]
        let whole = String(decoding: bytes, as: UTF8.self)
        for size in 1...bytes.count {
            let tokens = stride(from: 0, to: bytes.count, by: size).map {
                spelled(Array(bytes[$0..<min($0 + size, bytes.count)]))
            }
            #expect(areIdentical([pieces(ByteLevelDecoder(), tokens).joined()], [whole]))
        }
    }

    @Test("WordPiece, BPE and CTC tokens join as tokenizers joins them")
    func otherDecoders() {
        let words = ["he", "##llo", ",", "do", "n't", "##x"]
        #expect(WordPieceDecoder().decode(words).joined() == "hello, don'tx")
        #expect(BPEDecoder(suffix: "</w>").decode(["a</w>", "b", "c</w>"]).joined() == "a bc")
        let audio = CTCDecoder(paddingToken: "<p>", wordDelimiter: "|", cleansUp: true)
        #expect(audio.decode(["a", "a", "<p>", "a", "|", "b"]).joined() == "aa b")
        #expect(SpacedDecoder().decode(["a", "b"]).joined() == "a b")
    }

    @Test("A sequence of decoders streams through all of them")
    func sequences() {
        let decoder = DecoderSequence(decoders: [WordPieceDecoder(), BPEDecoder(suffix: "b")])
        #expect(decoder.decode(["ab", "##b", "c"]).joined() == "a   c")
        #expect(pieces(decoder, ["ab", "##b", "c"]) == ["", "a ", " ", " c"])
    }

    @Test("Text is replaced scalar by scalar, not by canonical equivalence")
    func exactReplacement() {
        #expect("e\u{301}".replacingExactly("e", with: "a").unicodeScalars.first == "a")
        #expect("\u{e9}".replacingExactly("e\u{301}", with: "x") == "\u{e9}")
        #expect("ab".replacingExactly("", with: "-") == "-a-b-")
        #expect("e\u{301}x".droppingExactPrefix("e") == "\u{301}x")
    }
}
