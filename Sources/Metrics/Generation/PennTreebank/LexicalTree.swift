/// A list of texts, letter by letter: those that a place begins with are found in one walk.
struct LexicalTree: Sendable {
    private struct Node: Sendable {
        var isEnd = false
        var next: [Unicode.Scalar: Int] = [:]
    }

    private var nodes = [Node()]

    /// - Parameter firstLetterCounts: whether a first letter means its own case only.
    init(_ texts: [String], firstLetterCounts: Bool = false) {
        for text in texts {
            var node = 0
            for (index, scalar) in text.unicodeScalars.enumerated() {
                let cases =
                    index == 0 && firstLetterCounts
                    ? [scalar]
                    : Array(
                        (scalar.properties.lowercaseMapping + scalar.properties.uppercaseMapping)
                            .unicodeScalars)
                if let known = nodes[node].next[cases[0]] {
                    node = known
                } else {
                    nodes.append(Node())
                    for scalar in cases { nodes[node].next[scalar] = nodes.count - 1 }
                    node = nodes.count - 1
                }
            }
            nodes[node].isEnd = true
        }
    }

    /// Where the texts that begin at `start` end.
    func ends(in text: [Unicode.Scalar], from start: Int) -> [Int] {
        var (node, index, ends) = (0, start, [Int]())
        while index < text.count, let next = nodes[node].next[text[index]] {
            (node, index) = (next, index + 1)
            if nodes[node].isEnd { ends.append(index) }
        }
        return ends
    }

    var firstScalars: ScalarClass {
        ScalarClass(String(String.UnicodeScalarView(nodes[0].next.keys)))
    }
}
