/// Numbers for n-grams of words: equal n-grams, and only they, have one number.
///
/// Words are equal when their code points are, as in Python and Java; Swift's `==` would take a
/// composed letter for a decomposed one.
struct NGramTable {
    private struct Link: Hashable {
        let prefix: Int
        let word: Int
    }

    /// The prefix of a single word.
    static let empty = -1

    private var words: [[UInt8]: Int] = [:]
    private var links: [Link: Int] = [:]
    /// For each n-gram, the one without its last word.
    private(set) var prefixes: [Int] = []

    /// The n-grams of a sentence for n from 1 to `order`: those of one length in their order.
    mutating func nGrams(_ sentence: [String], order: Int) -> [[Int]] {
        let words = sentence.map { number(of: Array($0.utf8)) }
        var all = [words.map { number(of: Link(prefix: Self.empty, word: $0)) }]
        for n in 1..<order {
            let shorter = all[n - 1]
            let count = max(0, words.count - n)
            all.append(
                (0..<count).map { number(of: Link(prefix: shorter[$0], word: words[$0 + n])) })
        }
        return all
    }

    private mutating func number(of word: [UInt8]) -> Int {
        if let known = words[word] { return known }
        words[word] = words.count
        return words.count - 1
    }

    private mutating func number(of link: Link) -> Int {
        if let known = links[link] { return known }
        links[link] = prefixes.count
        prefixes.append(link.prefix)
        return prefixes.count - 1
    }
}

/// How often each n-gram occurs.
func counts(_ nGrams: [Int]) -> [Int: Int] {
    nGrams.reduce(into: [:]) { $0[$1, default: 0] += 1 }
}

/// For each n-gram the most that one of several texts has of it.
func largestCounts(_ texts: [[Int]]) -> [Int: Int] {
    texts.reduce(into: [:]) { $0.merge(counts($1), uniquingKeysWith: max) }
}
