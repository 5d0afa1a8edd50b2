/// Finds the name that was meant by one that is unknown, for "did you mean".
package enum NearestName {
    /// Bytes of a name; what is longer is meant for none.
    private static let longest = 64

    /// A name a few slips away; else the longest that the unknown one contains, as
    /// `gradient-accumulation` of `gradient-accumulation-steps`; else one that contains it; else one of
    /// its initials, as `learning-rate` of `lr`.
    package static func of(_ unknown: String, among names: [String]) -> String? {
        guard unknown.utf8.count <= longest else { return nil }
        let word = String(unknown.lowercased().map { $0 == "_" ? "-" : $0 })
        let close = names.map { (name: $0, distance: distance(word, $0)) }
            .min { $0.distance < $1.distance }
        if let close, close.distance <= max(1, min(word.count, close.name.count) / 3) {
            return close.name
        }
        let parts = Set(word.split(separator: "-"))
        let contained = names.filter { name in
            name.count > 2 && name.split(separator: "-").allSatisfy(parts.contains)
        }
        if let longest = contained.max(by: { $0.count < $1.count }) { return longest }
        if let longer = names.first(where: { word.count > 2 && $0.contains(word) }) {
            return longer
        }
        return names.first { name in
            let words = name.split(separator: "-")
            return words.count > 1 && String(words.compactMap(\.first)) == word
        }
    }

    /// Letters to put in, take out, change or swap with their neighbour (optimal string alignment).
    package static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var (before, last) = ([Int](), Array(0...b.count))
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var least = min(last[j] + 1, row[j - 1] + 1, change)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    least = min(least, before[j - 2] + 1)
                }
                row.append(least)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
