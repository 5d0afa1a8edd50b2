/// `Fuse` of `tokenizers` (`decoders/fuse.rs`): makes one token of all.
struct FuseDecoder: TokenDecoder {
    func makeStream() -> any TokenStream { Stream() }

    private struct Stream: TokenStream {
        func append(_ part: TokenPart, to output: inout [TokenPart]) {
            output.append(TokenPart(text: part.text, endsToken: false))
        }

        func finish(_ output: inout [TokenPart]) {
            output.append(TokenPart(text: "", endsToken: true))
        }
    }
}
