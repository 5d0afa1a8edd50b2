import DualGeneration
import DualTokenization
import Testing

/// Text that comes as bytes, each a token, so that most characters are split over tokens.
@Suite struct TextTests {
    /// Its bytes are all different, so that each can be followed by the next.
    private let text = "aé€😀!"
    private let tokenizer: Tokenizer
    private let generator: TextGenerator

    init() throws {
        tokenizer = try Tokenizer.ofBytes()
        generator = TextGenerator(
            model: try MarkovModel(chain: text.utf8.map(Int.init), vocabulary: 256),
            tokenizer: tokenizer)
    }

    private func options(stop: [String] = [], tokens: Int? = nil) -> GenerationOptions {
        var options = GenerationOptions()
        options.maximumNewTokens = tokens ?? text.utf8.count - 1
        options.stopStrings = stop
        return options
    }

    @Test func noPieceSplitsACharacter() async throws {
        var pieces: [String] = []
        for try await piece in try generator.stream(prompt: "a", options()) {
            pieces.append(piece)
        }
        #expect(pieces == ["é", "€", "😀", "!"])
    }

    @Test func whatIsCutInACharacterIsMarkedSo() throws {
        let made = try generator.generate(prompts: ["a"], options(tokens: 4))
        #expect(made[0].text == "é\u{FFFD}")
        #expect(made[0].tokens == 4)
    }

    @Test func piecesAreHandedToAClosure() throws {
        var joined = ""
        let made = try generator.generate(prompt: "a", options()) { joined += $0 }
        #expect(joined == "é€😀!")
        #expect(made?.text == joined)
        #expect(made?.finish == .length)
    }

    @Test(arguments: ["€😀", "😀", "😀!", "€"])
    func aStopStringEndsTheTextBeforeIt(stop: String) async throws {
        let expected = String("é€😀!".prefix(while: { !stop.hasPrefix(String($0)) }))
        let made = try generator.generate(prompts: ["a"], options(stop: ["x", stop]))[0]
        #expect(made.text == expected)
        #expect(made.finish == .stopString)
        // The tokens are all there, as in the reference.
        #expect(tokenizer.decode(made.ids) == expected + stop)
        var streamed = ""
        for try await piece in try generator.stream(prompt: "a", options(stop: [stop])) {
            streamed += piece
        }
        #expect(streamed == expected)
    }

    @Test func theStartOfAStopStringComesWhenItIsNone() async throws {
        var pieces: [String] = []
        for try await piece in try generator.stream(prompt: "a", options(stop: ["é€x"])) {
            pieces.append(piece)
        }
        #expect(pieces == ["é€😀", "!"])
    }

    @Test func aStopStringInThePromptEndsNothing() throws {
        let made = try generator.generate(prompts: ["aé"], options(stop: ["aé", "é€"], tokens: 3))
        #expect(made[0].text == "€")
        #expect(made[0].finish == .length)
    }

    @Test func rowsOfABatchStopOnTheirOwn() throws {
        for beams in [1, 2] {
            var options = options(stop: ["€"], tokens: 5)
            options.beams = beams
            let made = try generator.generate(prompts: ["a", "aé€"], options)
            #expect(made[0].text == "é")
            #expect(made[0].finish == .stopString)
            #expect(made[1].text == "😀!")
            #expect(made[1].finish == .length)
        }
    }

    @Test func cancellingATaskEndsItsStream() async throws {
        let generator = TextGenerator(
            model: try MarkovModel(chain: text.utf8.map(Int.init), vocabulary: 256),
            tokenizer: tokenizer)
        var pieces = try generator.stream(prompt: "a", options()).makeAsyncIterator()
        #expect(try pieces.nextPiece() == "é")
        #expect(try pieces.nextPiece(isCancelled: { true }) == nil)
        #expect(pieces.generation?.finish == .cancelled)
        #expect(pieces.generation?.text == "é")
    }

    @Test func beamsCannotBeStreamed() throws {
        var options = options()
        options.beams = 2
        #expect(throws: GenerationError.self) { try generator.stream(prompt: "a", options) }
    }
}
