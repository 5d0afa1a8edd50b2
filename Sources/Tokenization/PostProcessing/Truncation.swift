/// Truncation as `enable_truncation(max_length, strategy="longest_first")` of `tokenizers` does it.
enum Truncation {
    /// Cuts the ends off, from the longer text first, until both fit into `limit` tokens.
    /// When both must be cut, they get equal shares, and an odd token goes to the longer one, or
    /// of two equally long texts to the second.
    static func longestFirst(_ first: inout Pieces, _ second: inout Pieces?, limit: Int) {
        guard let other = second else {
            first.truncate(to: limit)
            return
        }
        guard first.count + other.count > limit else { return }
        var shorter = min(first.count, other.count)
        var longer = shorter > limit ? shorter : max(shorter, limit - shorter)
        if shorter + longer > limit {
            shorter = limit / 2
            longer = shorter + limit % 2
        }
        let isFirstLonger = first.count > other.count
        first.truncate(to: isFirstLonger ? longer : shorter)
        second?.truncate(to: isFirstLonger ? shorter : longer)
    }
}
