import Testing

@testable import DualTokenization

@Suite struct UnigramTests {
    private func tokenizer(_ model: String, _ stages: String = "") throws -> Tokenizer {
        let json = #"{"model":{"type":"Unigram",\#(model)}\#(stages)}"#
        return try withFolder(["tokenizer.json": json]) { try Tokenizer.load(from: $0) }
    }

    private func message(_ model: String, _ stages: String = "") -> String {
        do {
            _ = try tokenizer(model, stages)
            return "loaded"
        } catch {
            return "\(error)".replacing(#/\S*/tokenizer/#, with: "tokenizer")
        }
    }

    @Test("Numbers are read as serde_json reads them, which is not to the nearest")
    func numbers() {
        func bits(_ text: Substring) -> UInt64? { SerdeNumber.double(text)?.bitPattern }
        #expect(bits("-1.5") == (-1.5).bitPattern)
        #expect(bits("0") == 0)
        #expect(bits("12e-1") == 1.2.bitPattern)
        #expect(bits("100000000000000000000") == 1e20.bitPattern)
        // 19 digits are rounded once as an integer, and once more by the division.
        let integer = Double(UInt64(7_205_759_403_792_793_515))
        #expect(bits("7.205759403792793515") == (integer / 1e18).bitPattern)
        for text: Substring in ["", "-", "01", "1.", ".5", "1e", "1e999", "+1", "1x", "nan"] {
            #expect(SerdeNumber.double(text) == nil)
        }
    }

    @Test("Unknown neighbours become one token, or their bytes")
    func unknown() throws {
        let plain = try tokenizer(##""unk_id":0,"vocab":[["?",0.0],["a",-1.0]]"##)
        #expect(try plain.encode("éca").ids == [0, 1])
        #expect(try plain.encode("éca").tokens == ["éc", "a"])
        let bytes = ["E9", "C3", "A9"].map { ##"["<0x\##($0)>",0.0]"## }.joined(separator: ",")
        let fallback = try tokenizer(
            ##""unk_id":0,"byte_fallback":true,"vocab":[["?",0.0],\##(bytes),["a",-1.0]]"##)
        #expect(try fallback.encode("éa").ids == [2, 3, 4])
        #expect(try fallback.encode("ca").ids == [0, 4])
    }

    @Test("A vocabulary of another form is refused")
    func badVocabularies() {
        #expect(
            message(##""unk_id":0,"vocab":[["a"]]"##)
                == "tokenizer.json: 'model.vocab[0]' is not usable: "
                + "it has 1 parts instead of a token and its score.")
        #expect(
            message(##""unk_id":0,"vocab":[["a",0.0],["b","c"]]"##)
                == "tokenizer.json: 'model.vocab[1][1]' is \"c\", but should be a number.")
        #expect(
            message(##""unk_id":2,"vocab":[["a",0.0]]"##)
                == "tokenizer.json: 'model.unk_id' is 2, but should be below the 1 of the "
                + "vocabulary.")
        #expect(
            message(##""unk_id":null,"vocab":[["a",0.0]]"##)
                == "tokenizer.json: 'model.unk_id' is null, but should be an integer.")
    }

    @Test("Stages that contradict themselves are refused")
    func badStages() {
        let model = ##""unk_id":0,"vocab":[["a",0.0]]"##
        func metaspace(_ fields: String) -> String {
            message(model, ##","pre_tokenizer":{"type":"Metaspace",\##(fields)}"##)
        }
        #expect(metaspace(##""replacement":"_","prepend_scheme":"first""##) == "loaded")
        #expect(
            metaspace(##""replacement":"__""##)
                == "tokenizer.json: 'pre_tokenizer.replacement' is not usable: "
                + "it is not one character.")
        #expect(
            metaspace(##""replacement":"_","add_prefix_space":false"##)
                == "tokenizer.json: 'pre_tokenizer.add_prefix_space' is not usable: "
                + "it is false, and prepend_scheme is not 'never'.")
        #expect(
            message(model, ##","normalizer":{"type":"Precompiled","precompiled_charsmap":"x"}"##)
                == "tokenizer.json: 'normalizer.precompiled_charsmap' is not usable: "
                + "it is not base 64.")
    }

    @Test("A run of byte tokens is held back until it ends, or can be no text")
    func byteFallback() {
        func pieces(_ tokens: [String]) -> [String] {
            var stream = ByteFallbackDecoder().makeStream()
            var pieces: [String] = []
            for token in tokens {
                var parts: [TokenPart] = []
                stream.append(TokenPart(text: token, endsToken: true), to: &parts)
                pieces.append(parts.map(\.text).joined())
            }
            var parts: [TokenPart] = []
            stream.finish(&parts)
            return pieces + [parts.map(\.text).joined()]
        }
        #expect(pieces(["<0xC3>", "<0xA9>", "<0x61>", "b"]) == ["", "", "", "éab", ""])
        #expect(pieces(["<0xC3>", "<0xA9>"]) == ["", "", "é"])
        #expect(
            pieces(["<0x61>", "<0xFF>", "<0x62>", "c"])
                == ["", "\u{FFFD}\u{FFFD}", "\u{FFFD}", "c", ""])
        #expect(pieces(["<0xE4>", "<0xBD>", "x"]) == ["", "", "\u{FFFD}\u{FFFD}x", ""])
        #expect(pieces(["<0xg1>", "<0x1>"]) == ["<0xg1>", "<0x1>", ""])
    }
}
