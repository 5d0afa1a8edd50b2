/// `ByteFallback` of `tokenizers` (`decoders/byte_fallback.rs`): tokens such as `<0x61>` become the
/// text that they spell in UTF-8.
///
/// A run of such tokens that is no UTF-8 becomes a U+FFFD for every token, the well-formed part
/// of it too. So a run is held back until it ends, or until it can no longer be UTF-8.
struct ByteFallbackDecoder: TokenDecoder {
    func makeStream() -> any TokenStream { WholeTokens(Rewriter()) }

    /// The byte that a token stands for. As in `tokenizers`, `<0x+1>` is one too.
    static func byte(of token: String) -> UInt8? {
        let units = token.utf8
        guard units.count == 6, token.hasPrefix("<0x"), units.last == UInt8(ascii: ">") else {
            return nil
        }
        return UInt8(String(decoding: units.dropFirst(3).prefix(2), as: UTF8.self), radix: 16)
    }

    private struct Rewriter: TokenRewriter {
        private var run: [UInt8] = []
        /// The beginning of a character at the end of the run.
        private var tail: [UInt8] = []
        private var isBroken = false

        mutating func rewrite(_ token: String) -> [String] {
            guard let byte = ByteFallbackDecoder.byte(of: token) else { return endRun() + [token] }
            if isBroken { return ["\u{FFFD}"] }
            run.append(byte)
            tail.append(byte)
            if String(validating: tail, as: UTF8.self) != nil {
                tail = []
            } else if UTF8Tail.length(of: tail) < tail.count {
                isBroken = true
                defer { run = [] }
                return Array(repeating: "\u{FFFD}", count: run.count)
            }
            return []
        }

        mutating func finish() -> [String] { endRun() }

        private mutating func endRun() -> [String] {
            defer { (run, tail, isBroken) = ([], [], false) }
            if run.isEmpty { return [] }
            if tail.isEmpty { return [String(decoding: run, as: UTF8.self)] }
            return Array(repeating: "\u{FFFD}", count: run.count)
        }
    }
}
