/// How wide a text is in a sans serif, near enough to leave room for it: readers' fonts differ.
struct TextWidth: Sendable {
    /// The font size, in the picture's units.
    let size: Double

    func callAsFunction(_ text: String) -> Double {
        text.reduce(0) { $0 + Self.advance(of: $1) } * size
    }

    /// A text cut to a width, an ellipsis in place of its end.
    func fitted(_ text: String, width limit: Double) -> String {
        guard self(text) > limit else { return text }
        var kept = text
        while !kept.isEmpty, self(kept + "…") > limit { kept.removeLast() }
        return kept.isEmpty ? "" : kept + "…"
    }

    /// In font sizes.
    private static func advance(of character: Character) -> Double {
        switch character {
        case "i", "j", "l", "I", "f", "t", "r", " ", ".", ",", ":", ";", "'", "|", "!", "(", ")",
            "[", "]", "-", "/":
            0.36
        case "m", "w", "M", "W", "@", "%", "…": 0.95
        case "A"..."Z", "0"..."9", "_": 0.66
        case "\0"..."\u{2E7F}": 0.58
        default: 1  // East Asian characters and emoji
        }
    }
}
