/// `Strip` of `tokenizers` as a decoder (`decoders/strip.rs`): takes one character off each token,
/// up to so many times at its start and at its end.
///
/// Where nothing is left to take off it stops; `tokenizers` panics at some such tokens.
struct StripDecoder: TokenDecoder, Decodable {
    let content: Unicode.Scalar
    let start: Int
    let stop: Int

    private enum CodingKeys: String, CodingKey { case content, start, stop }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        content = try values.decodeScalar(.content)
        start = Int(try values.decode(UInt32.self, forKey: .start))
        stop = Int(try values.decode(UInt32.self, forKey: .stop))
    }

    func makeStream() -> any TokenStream { Stream(decoder: self, left: start) }

    private struct Stream: TokenStream {
        let decoder: StripDecoder
        /// How many may still go at the start of this token.
        var left: Int
        /// The end of what came, of which some may still go.
        var held: [Unicode.Scalar] = []

        mutating func append(_ part: TokenPart, to output: inout [TokenPart]) {
            for scalar in part.text.unicodeScalars {
                if left > 0, scalar == decoder.content {
                    left -= 1
                } else {
                    left = 0
                    held.append(scalar)
                }
            }
            let trailing = held.reversed().prefix { $0 == decoder.content }.count
            let certain = held.count - min(trailing, decoder.stop)
            output.append(
                TokenPart(text: String(scalars: held[..<certain]), endsToken: part.endsToken))
            held.removeFirst(certain)
            if part.endsToken {
                held = []
                left = decoder.start
            }
        }

        mutating func finish(_ output: inout [TokenPart]) { held = [] }
    }
}
