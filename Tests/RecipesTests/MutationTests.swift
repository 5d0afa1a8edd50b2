import Foundation
import Mutations
import Testing

@testable import DualRecipes

@Suite struct MutationTests {
    private static let words = [
        ":", ": ", "- ", "-", "\n", "\n  ", "[", "]", "{", "}", ",", "#", "&a ", "*a", "!!int ",
        "|", ">", "'",
        "\"", "\\x", "?", "---\n", "...\n", "%YAML 1.2\n", "<<: ", "~", "null", "yes", "0x1F",
        "1e-4", ".inf",
        "model", "method", "name", "rank", "data", "training", "epochs", "packing", "é", "\t",
        "\u{0}",
        "\u{FEFF}", "*a, *a, *a",
    ]
    private static let recipes = [
        """
        model: org/base  # a note
        data: {task: stsb, path: [glue/STS-B, "more"], packing: true}
        method: {name: dual-lora, rank: 16, targets: [query, value]}
        training:
          learning_rate: 1e-4
          epochs: 3
        """,
        "model: &a x\noutput: *a\ntask: 'st''sb'\ndata:\n- |\n  one\n  two\n- >-\n  three\nsign-grad: -1\n",
    ]

    @Test("A recipe with an error anywhere is read or refused in one line", arguments: 1...3)
    func changed(seed: UInt64) {
        var mutator = Mutator(seed: seed, words: Self.words)
        var read = 0
        for _ in 0..<4000 {
            let text = String(decoding: mutator.changed(oneOf: Self.recipes), as: UTF8.self)
            do {
                _ = try RecipeFile(text, path: "r.yaml", keys: testKeys)
                read += 1
            } catch {
                #expect(error is RecipeError, "\(error)")
                #expect(!"\(error)".contains("\n"), "\(error)")
            }
        }
        #expect(300..<3800 ~= read)
    }
}
