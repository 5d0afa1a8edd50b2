/// What a reader takes for one character, as the Rust crate `unicode-segmentation` cuts a text:
/// the extended grapheme clusters of Unicode 17.
enum GraphemeClusters {
    /// The end of the cluster that starts at `start`, which must itself be the start of one.
    static func end(of text: [Unicode.Scalar], from start: Int) -> Int {
        guard start + 1 < text.count else { return text.count }
        let (first, second) = (text[start].value, text[start + 1].value)
        // Nothing below U+0300 joins what stands before it, nothing below U+0600 what follows.
        if first < 0x600, second < 0x300 {
            return start + (first == 0xD && second == 0xA ? 2 : 1)
        }
        if isIdeograph(first), isIdeograph(second) { return start + 1 }
        return end(of: text, from: start, window: 16)
    }

    /// Reads the cluster off the first scalars, or off more of them where it may go on.
    private static func end(of text: [Unicode.Scalar], from start: Int, window: Int) -> Int {
        let scalars = text[start...].prefix(window)
        let string = String(scalars: scalars.map(known))
        let count = string.first?.unicodeScalars.count ?? 1
        guard count == scalars.count, scalars.endIndex < text.count else { return start + count }
        return end(of: text, from: start, window: 4 * window)
    }

    private static func isIdeograph(_ value: UInt32) -> Bool {
        (0x3400...0x4DBF).contains(value) || (0x4E00...0x9FFF).contains(value)
    }

    /// A scalar that the crate does not know is like an ideograph: it joins nothing.
    private static func known(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let isNew = scalar.value >= 0x300 && scalar.properties.age?.major ?? 0 > 17
        return isNew ? "\u{4E00}" : scalar
    }
}
