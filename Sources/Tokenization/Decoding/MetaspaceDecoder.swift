/// `Metaspace` of `tokenizers` as a decoder: the visible space becomes a space again. In the first
/// token it goes, unless no space was put before the text.
struct MetaspaceDecoder: TokenDecoder {
    let metaspace: Metaspace

    func makeStream() -> any TokenStream { Stream(metaspace: metaspace) }

    private struct Stream: TokenStream {
        let metaspace: Metaspace
        var isFirst = true

        mutating func append(_ part: TokenPart, to output: inout [TokenPart]) {
            let dropsSpaces = isFirst && metaspace.prependScheme != .never
            var text = String.UnicodeScalarView()
            for scalar in part.text.unicodeScalars {
                if scalar != metaspace.replacement {
                    text.append(scalar)
                } else if !dropsSpaces {
                    text.append(" ")
                }
            }
            if part.endsToken { isFirst = false }
            output.append(TokenPart(text: String(text), endsToken: part.endsToken))
        }

        func finish(_ output: inout [TokenPart]) {}
    }
}
