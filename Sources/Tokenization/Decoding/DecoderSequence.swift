/// Applies one decoder after the other: `decoders.Sequence` of `tokenizers`.
struct DecoderSequence: TokenDecoder {
    let decoders: [any TokenDecoder]

    func makeStream() -> any TokenStream {
        TokenStreamSequence(streams: decoders.map { $0.makeStream() })
    }
}

private struct TokenStreamSequence: TokenStream {
    var streams: [any TokenStream]

    mutating func append(_ part: TokenPart, to output: inout [TokenPart]) {
        output += advance([part], from: 0)
    }

    mutating func finish(_ output: inout [TokenPart]) {
        for index in streams.indices {
            var held: [TokenPart] = []
            streams[index].finish(&held)
            output += advance(held, from: index + 1)
        }
    }

    /// Sends parts through all streams from one on.
    private mutating func advance(_ parts: [TokenPart], from first: Int) -> [TokenPart] {
        var parts = parts
        for index in streams.indices.dropFirst(first) {
            var next: [TokenPart] = []
            for part in parts { streams[index].append(part, to: &next) }
            parts = next
        }
        return parts
    }
}
