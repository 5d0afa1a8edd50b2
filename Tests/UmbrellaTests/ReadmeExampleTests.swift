import FineTuning
import Foundation
import Testing

/// The README's example, so that it compiles; the test below holds the two together.
private func example() throws {
    var run = FineTuningRun(
        model: URL(fileURLWithPath: "MiniLM"), task: STSB.self,
        data: URL(fileURLWithPath: "glue/STS-B"),
        method: DualLoRA(magnitudeRank: 8, directionRank: 8), output: URL(fileURLWithPath: "out"))
    run.targets = .names(["query", "value"])
    let result = try run.run { event in
        if case .training(.step(let step)) = event { print(step.step, step.loss) }
    }
    print(result.metric, result.value ?? .nan)

    let adapted = try AdaptedModel.load(
        model: URL(fileURLWithPath: "MiniLM"), adapter: URL(fileURLWithPath: "out"),
        options: ModelFolder.LoadOptions())
    let tokens = try adapted.tokenizer.load().encode(
        "A cat sleeps.", pair: "A cat naps.")
    let batch = try TokenBatch([(tokens.ids, tokens.typeIDs)], paddingID: 0)
    print(try adapted.model.logits(batch).item())  // how alike, from 0 to 5
}

private func streaming() async throws {
    let folder = try ModelFolder(URL(fileURLWithPath: "llama"))
    let tokenizer = try Tokenizer.load(from: folder.url)
    let generator = TextGenerator(model: try folder.load().causalModel(), tokenizer: tokenizer)
    var options = try GenerationOptions(folder: folder, tokenizer: tokenizer)
    options.maximumNewTokens = 64
    for try await piece in try generator.stream(prompt: "Once upon a time", options) {
        print(piece, terminator: "")
    }
}

@Suite struct ReadmeExampleTests {
    @Test(
        "The README's library examples are the code that compiles here",
        arguments: ["FineTuningRun", "TextGenerator"])
    func readmeMatches(_ word: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(
            contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let blocks = readme.components(separatedBy: "```swift\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```").first }
        let block = try #require(blocks.first { $0.contains(word) })
        let lines = block.components(separatedBy: "\n").filter {
            !$0.isEmpty && !$0.hasPrefix("import")
        }
        #expect(lines.count > 7)
        for line in lines { #expect(source.contains("    \(line)\n"), "\(line)") }
    }
}
