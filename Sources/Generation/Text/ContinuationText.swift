import DualTokenization

/// The text of one continuation as its tokens come: what of it is certain, and whether it contains a
/// text that ends it.
///
/// The prompt is decoded first, so that the first piece has the space that stands between the two;
/// it is no part of the text, and what ends the text must lie behind it.
struct ContinuationText {
    private var decoder: StreamingDecoder
    private let stops: [[UInt8]]
    /// The decoded continuation so far, in UTF-8.
    private var bytes: [UInt8] = []
    /// Bytes that have been handed out.
    private var taken = 0
    /// Where the first stop string starts, once there is one.
    private var end: Int?

    init(tokenizer: Tokenizer, prompt: [Int], stopStrings: [String]) {
        decoder = tokenizer.makeStreamingDecoder(skippingSpecialTokens: true)
        for id in prompt { _ = decoder.append(id) }
        stops = stopStrings.map { Array($0.utf8) }
    }

    /// Whether the text contains a stop string.
    var isStopped: Bool { end != nil }

    /// Everything before the first stop string.
    var text: String { String(decoding: bytes[..<(end ?? bytes.count)], as: UTF8.self) }

    mutating func append(_ id: Int) { extend(by: decoder.append(id)) }

    /// Takes what the decoder holds back, when no token comes any more.
    mutating func finish() { extend(by: decoder.finish()) }

    /// The certain text that was not taken yet: no stop string nor a start of one, unless the text
    /// is complete.
    mutating func take(isComplete: Bool) -> String {
        let certain = end ?? (isComplete ? bytes.count : bytes.count - heldBack)
        guard certain > taken else { return "" }
        defer { taken = certain }
        return String(decoding: bytes[taken..<certain], as: UTF8.self)
    }

    private mutating func extend(by piece: String) {
        guard !piece.isEmpty else { return }
        let before = bytes.count
        bytes += Array(piece.utf8)
        guard end == nil else { return }
        end = stops.compactMap { firstOccurrence(of: $0, endingBehind: before) }.min()
    }

    private func firstOccurrence(of stop: [UInt8], endingBehind before: Int) -> Int? {
        let first = max(0, before + 1 - stop.count)
        guard bytes.count - first >= stop.count else { return nil }
        return (first...bytes.count - stop.count).first { start in
            bytes[start..<start + stop.count].elementsEqual(stop)
        }
    }

    /// Bytes at the end that may be the start of a stop string.
    private var heldBack: Int {
        stops.map { stop in
            let longest = min(stop.count - 1, bytes.count)
            return (0...longest).reversed().first {
                bytes.suffix($0).elementsEqual(stop.prefix($0))
            }
                ?? 0
        }.max() ?? 0
    }
}
