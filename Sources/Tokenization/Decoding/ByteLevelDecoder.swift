/// `ByteLevel` of `tokenizers` as a decoder: characters turn back into the bytes they stand for,
/// and the bytes of all tokens together into one text. Bytes that are no UTF-8 become U+FFFD.
struct ByteLevelDecoder: TokenDecoder {
    func makeStream() -> any TokenStream { ByteStream() }

    /// Collects bytes and passes on the characters that are complete.
    private struct ByteStream: TokenStream {
        var partial: String?
        var bytes: [UInt8] = []

        mutating func append(_ part: TokenPart, to output: inout [TokenPart]) {
            let token = partial.map { $0 + part.text } ?? part.text
            guard part.endsToken else {
                partial = token
                return
            }
            partial = nil
            bytes += ByteAlphabet.bytes(of: token)
            let complete = bytes.count - UTF8Tail.length(of: bytes)
            guard complete > 0 else { return }
            let text = String(decoding: bytes[..<complete], as: UTF8.self)
            bytes.removeFirst(complete)
            output.append(TokenPart(text: text, endsToken: false))
        }

        mutating func finish(_ output: inout [TokenPart]) {
            if let partial { bytes += ByteAlphabet.bytes(of: partial) }
            partial = nil
            output.append(
                TokenPart(text: String(decoding: bytes, as: UTF8.self), endsToken: true))
            bytes = []
        }
    }
}
