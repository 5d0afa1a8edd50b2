/// Text compared scalar by scalar. `String` compares by canonical equivalence, `tokenizers` does
/// not.
extension String {
    init(scalars: some Sequence<Unicode.Scalar>) {
        var view = UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }

    /// The text behind a prefix; nil when it does not start so.
    func droppingExactPrefix(_ prefix: String) -> String? {
        guard utf8.starts(with: prefix.utf8) else { return nil }
        return String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    /// Replaces every occurrence of a pattern, from the left, as Rust's `str::replace` does: an
    /// empty pattern occurs before every scalar and at the end.
    func replacingExactly(_ pattern: String, with replacement: String) -> String {
        let (text, pattern) = (Array(utf8), Array(pattern.utf8))
        guard let first = pattern.first else {
            return unicodeScalars.reduce(into: replacement) { result, scalar in
                result.unicodeScalars.append(scalar)
                result += replacement
            }
        }
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == first, text[index...].starts(with: pattern) {
                result += replacement.utf8
                index += pattern.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
