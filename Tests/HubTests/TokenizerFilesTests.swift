import DualTokenization
import Testing

@testable import DualHub

@Suite struct TokenizerFilesTests {
    @Test("Every file that a tokenizer is made of comes with the model")
    func names() {
        for kind in [RepositoryKind.model, .tokenizer] {
            #expect(Set(Tokenizer.fileNames).subtracting(kind.companions).isEmpty)
        }
    }
}
