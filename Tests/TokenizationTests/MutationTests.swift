import Foundation
import Mutations
import Testing

@testable import DualTokenization

@Suite struct MutationTests {
    #if DEBUG
        private static let count = 2_000
    #else
        private static let count = 12_000
    #endif

    @Test("A file with an error anywhere loads or is refused, and what loads can be used")
    func mutatedFiles() throws {
        var generator = SeededGenerator(state: 1)
        var refused = 0
        let model = sentencePieceModel([
            unknownPiece, ("<s>", 0, .control), ("a", -1, .normal), ("ab", -2.5, .normal),
            ("\u{2581}", -3, .normal), ("é", -1.5, .userDefined),
        ])
        let folders = MutatedFiles.folders + [["tokenizer.model": model]]
        try withFolder([String: Data]()) { url in
            for number in 0..<Self.count {
                let files = folders[number % folders.count]
                let folder = url.appendingPathComponent("\(number % folders.count)")
                if number < folders.count {
                    try FileManager.default.createDirectory(
                        at: folder, withIntermediateDirectories: true)
                }
                let wrong = files.keys.sorted()[Int.random(in: 0..<files.count, using: &generator)]
                for (name, bytes) in files {
                    let written =
                        name == wrong ? MutatedFiles.mutate(bytes, using: &generator) : bytes
                    try Data(written).write(to: folder.appendingPathComponent(name))
                }
                if try !MutatedFiles.loads(folder) { refused += 1 }
            }
        }
        #expect(refused > Self.count / 3 && refused < Self.count)
    }

    @Test("Any pattern compiles or is refused, and one that compiles comes to an end")
    func randomPatterns() throws {
        var generator = SeededGenerator(state: 2)
        let parts = [
            "a", "b", "é", ".", "\\s", "\\p{L}", "\\W", "[", "]", "^", "$", "(", ")", "(?:", "(?=",
            "(?!", "(?<=", "(?<!", "(?>", "(?i)", "|", "*", "+", "?", "{2}", "{1,3}", "{,2}", "-",
            "&&", "\\b", "\\", "[^", "\\x{", "}", "[:alpha:]", "\\p{", "x", "#", " ", "(?x:",
        ]
        var compiled = 0
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 1...9, using: &generator))
                .compactMap { _ in parts.randomElement(using: &generator) }.joined()
            guard let expression = try? RegularExpression(pattern) else { continue }
            compiled += 1
            let found = try expression.matches(in: "aab é\nbaaaab  A1-x")
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        }
        #expect(compiled > 1000)
    }
}
